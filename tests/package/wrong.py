"""A program with one mistake a line: where mypy finds none, or another one, `make lint` calls the ignore unused."""

import pulumi
from kf_tasks import App, Binding, Postgres, SecurityGroup, ServiceInstance, Source, Space, Task, TaskSchedule

space = Space("dev")
app = App("shop", space=space, image="i")
text = pulumi.Output.from_input("x")

Space("dev", keep="5")  # type: ignore[arg-type]
Space("dev", memory=512)  # type: ignore[arg-type]
Space("dev", env={"A": 1})  # type: ignore[dict-item]
Space("dev", quota=[1])  # type: ignore[arg-type]
Space("dev", security_groups=["x"])  # type: ignore[list-item]
Space(name="dev", nothing=1)  # type: ignore[call-arg]
App("shop", image="i")  # type: ignore[call-arg]
App("shop", space="dev", image="i")  # type: ignore[arg-type]
App("shop", space=space, image=1)  # type: ignore[arg-type]
App("shop", space=space, image="i", keep="7")  # type: ignore[arg-type]
App("shop", space=space, image="i", services=["db"])  # type: ignore[list-item]
App("shop", space=space, image="i", env=["A=1"])  # type: ignore[arg-type]
App("shop", space=space, image="i", command=1)  # type: ignore[arg-type]
App("shop", space=space, image="i", command=["x", 1])  # type: ignore[list-item]
App("shop", space=space, source=1)  # type: ignore[arg-type]
App("shop", space, image="i")  # type: ignore[call-arg]
Task("t", app="shop", command="x")  # type: ignore[arg-type]
Task("t", app=space, command="x")  # type: ignore[arg-type]
Task("t", command="x")  # type: ignore[call-arg]
Task("t", app=app, command="x", retries="1")  # type: ignore[arg-type]
Task("t", app=app, command="x", wait="false")  # type: ignore[arg-type]
Task("t", app=app, command="x", terminated="false")  # type: ignore[arg-type]
Task("t", app=app, command="x", timeout=30)  # type: ignore[arg-type]
Task("t", app=app, command="x", memory=text)  # type: ignore[arg-type]
Task("t", app=app, command={"x": 1})  # type: ignore[arg-type]
Task("t", app=app, comand="x")  # type: ignore[call-arg]
TaskSchedule("n", app=app, schedule=3)  # type: ignore[arg-type]
TaskSchedule("n", app=app, schedule="@daily", suspend="false")  # type: ignore[arg-type]
ServiceInstance("db", space=app)  # type: ignore[arg-type]
ServiceInstance("db", space=space, tags=[1])  # type: ignore[list-item]
Postgres(url="x")  # type: ignore[call-arg]
Postgres(uri=1)  # type: ignore[arg-type]
Binding("db")  # type: ignore[arg-type]
SecurityGroup("g", dns="no")  # type: ignore[arg-type]
Source(1)  # type: ignore[arg-type]
Source("x", build_args=["A"])  # type: ignore[arg-type]
number: pulumi.Output[int] = Task("t", app=app, command="x").state  # type: ignore[assignment]
