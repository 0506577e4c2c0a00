import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as kf from "pulumi-kf";

const config = new pulumi.Config();
const stack = pulumi.getStack();
const image = config.get("image") ?? "busybox:1";

const space = new kf.Space(`shop-${stack}`, {
    env: { TZ: "Europe/Berlin", STAGE: stack },
    disk: "64M",
    cpu: "10m",
});
const mail = new kf.ServiceInstance("mail", {
    space,
    label: "smtp",
    credentials: {
        host: `mail.${stack}`,
        password: config.getSecret("mailPassword") ?? pulumi.secret("password-for-trying-out"),
    },
});
const shop = new kf.App("shop", {
    space,
    image,
    memory: config.get("memory") ?? "64M",
    keep: config.getNumber("keep") ?? 3,
    services: [{ service: mail, bindingName: "letters" }],
});
const migrate = new kf.Task("migrate", {
    app: shop,
    command: 'echo "migrating $STAGE to schema $SCHEMA"; printf "$SCHEMA" > "$KF_RESULTS/schema"; echo done',
    env: { SCHEMA: config.get("schema") ?? "v7" },
    results: ["schema"],
    timeout: "5m",
});
new kf.TaskSchedule("report", {
    app: shop,
    command: 'echo "report for $STAGE to $(cat "$SERVICE_BINDING_ROOT/letters/host")"',
    schedule: "0 4 * * mon-fri",
    timeZone: "Europe/Berlin",
});

export const schema = migrate.results.apply((found) => found.schema);

// What the shop's customers see: not touched as long as the migration has not succeeded.
new kubernetes.apps.v1.Deployment(
    "server",
    {
        metadata: { name: "server", namespace: space.namespace, labels: shop.labels },
        spec: {
            replicas: 1,
            selector: { matchLabels: { app: "server" } },
            template: {
                metadata: { labels: { app: "server", schema } },
                spec: { containers: [{ name: "server", image, command: ["sleep", "100000"], env: shop.env }] },
            },
        },
    },
    { dependsOn: [migrate] },
);

export const run = migrate.run;
export const log = migrate.log;
