// A program as controllers are: it watches by an informer, and writes by a typed client.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// informer NAMESPACE [CONTENT-TYPE]: makes, changes and deletes a ConfigMap, and says what the informer hears of it.
func main() {
	namespace := os.Args[1]
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	must(err)
	if len(os.Args) > 2 {
		config.ContentType = os.Args[2]
	}
	client, err := kubernetes.NewForConfig(config)
	must(err)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	heard := make(chan string, 16)
	tell := func(what string) func(object any) {
		return func(object any) {
			one := object.(*core.ConfigMap)
			if one.Name == "told" {
				heard <- fmt.Sprintf("%s %s=%s", what, one.Name, one.Data["value"])
			}
		}
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	informer := factory.Core().V1().ConfigMaps().Informer()
	_, err = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    tell("added"),
		UpdateFunc: func(_, object any) { tell("updated")(object) },
		DeleteFunc: tell("deleted"),
	})
	must(err)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())

	maps := client.CoreV1().ConfigMaps(namespace)
	object := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "told"}, Data: map[string]string{"value": "one"}}
	made, err := maps.Create(ctx, object, meta.CreateOptions{})
	must(err)
	say(ctx, heard)
	made.Data["value"] = "two"
	_, err = maps.Update(ctx, made, meta.UpdateOptions{})
	must(err)
	say(ctx, heard)
	must(maps.Delete(ctx, "told", meta.DeleteOptions{}))
	say(ctx, heard)
	pods, err := client.CoreV1().Pods(namespace).List(ctx, meta.ListOptions{})
	must(err)
	fmt.Printf("%d pods\n", len(pods.Items))
}

func say(ctx context.Context, heard <-chan string) {
	select {
	case what := <-heard:
		fmt.Println(what)
	case <-ctx.Done():
		must(ctx.Err())
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
