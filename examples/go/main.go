// A shop: its server is deployed only after the migration, its report reads a bound mail server.
package main

import (
	"cmp"
	"encoding/json"

	"example.com/pulumi-kf/sdk/go/kf"
	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(shop)
}

func shop(ctx *pulumi.Context) error {
	cfg := config.New(ctx, "")
	image := cmp.Or(cfg.Get("image"), "busybox:1")
	password, err := cfg.TrySecret("mailPassword")
	if err != nil {
		password = pulumi.ToSecret(pulumi.String("password-for-trying-out")).(pulumi.StringOutput)
	}

	space, err := kf.NewSpace(ctx, "shop-"+ctx.Stack(), &kf.SpaceArgs{
		Env: map[string]pulumi.Input{
			"TZ":    pulumi.String("Europe/Berlin"),
			"STAGE": pulumi.String(ctx.Stack()),
		},
		Disk: pulumi.StringRef("64M"),
		Cpu:  "10m",
	})
	if err != nil {
		return err
	}
	mail, err := kf.NewServiceInstance(ctx, "mail", &kf.ServiceInstanceArgs{
		Space: space,
		Label: pulumi.StringRef("smtp"),
		Credentials: pulumi.Map{
			"host":     pulumi.String("mail." + ctx.Stack()),
			"password": password,
		},
	})
	if err != nil {
		return err
	}
	app, err := kf.NewApp(ctx, "shop", &kf.AppArgs{
		Space:    space,
		Image:    pulumi.String(image),
		Memory:   pulumi.StringRef(cmp.Or(cfg.Get("memory"), "64M")),
		Keep:     pulumi.IntRef(cmp.Or(cfg.GetInt("keep"), 3)),
		Services: []pulumi.Input{kf.BindingArgs{Service: mail, BindingName: pulumi.StringRef("letters")}},
	})
	if err != nil {
		return err
	}
	migrate, err := kf.NewTask(ctx, "migrate", &kf.TaskArgs{
		App:     app,
		Command: pulumi.String(`echo "migrating $STAGE to schema $SCHEMA"; printf "$SCHEMA" > "$KF_RESULTS/schema"; echo done`),
		Env:     map[string]pulumi.Input{"SCHEMA": pulumi.String(cmp.Or(cfg.Get("schema"), "v7"))},
		Results: []string{"schema"},
		Timeout: pulumi.StringRef("5m"),
	})
	if err != nil {
		return err
	}
	_, err = kf.NewTaskSchedule(ctx, "report", &kf.TaskScheduleArgs{
		App:      app,
		Command:  pulumi.String(`echo "report for $STAGE to $(cat "$SERVICE_BINDING_ROOT/letters/host")"`),
		Schedule: pulumi.StringRef("0 4 * * mon-fri"),
		TimeZone: pulumi.StringRef("Europe/Berlin"),
	})
	if err != nil {
		return err
	}

	// What the shop's customers see: not touched as long as the migration has not succeeded.
	migrated := migrate.Results.MapIndex(pulumi.String("schema"))
	_, err = appsv1.NewDeployment(ctx, "server", &appsv1.DeploymentArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String("server"), Namespace: space.Namespace, Labels: app.Labels},
		Spec: &appsv1.DeploymentSpecArgs{
			Replicas: pulumi.Int(1),
			Selector: &metav1.LabelSelectorArgs{MatchLabels: pulumi.StringMap{"app": pulumi.String("server")}},
			Template: &corev1.PodTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{
					Labels: pulumi.StringMap{"app": pulumi.String("server"), "schema": migrated},
				},
				Spec: &corev1.PodSpecArgs{Containers: corev1.ContainerArray{&corev1.ContainerArgs{
					Name:    pulumi.String("server"),
					Image:   pulumi.String(image),
					Command: pulumi.ToStringArray([]string{"sleep", "100000"}),
					Env:     environment(app),
				}}},
			},
		},
	}, pulumi.DependsOn([]pulumi.Resource{migrate}))
	if err != nil {
		return err
	}

	ctx.Export("schema", migrated)
	ctx.Export("run", migrate.Run)
	ctx.Export("log", migrate.Log)
	return nil
}

// environment gives the variables of an App as the SDK for Kubernetes takes them.
func environment(app *kf.App) corev1.EnvVarArrayOutput {
	return app.Env.ApplyT(func(variables []any) ([]corev1.EnvVar, error) {
		text, err := json.Marshal(variables)
		if err != nil {
			return nil, err
		}
		var found []corev1.EnvVar
		err = json.Unmarshal(text, &found)
		return found, err
	}).(corev1.EnvVarArrayOutput)
}
