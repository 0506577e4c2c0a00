// Writes the SDK for .NET of the schema on stdin into a folder, but for the icon of its package, which the generator
// fetches. The host of .NET is not to be had as a Go module; its generator is, as a part of Pulumi's own up to 3.188.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/pkg/v3/codegen/dotnet"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: pulumi-sdk-dotnet FOLDER <schema.json")
	}
	if err := write(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func write(folder string) error {
	var spec schema.PackageSpec
	if err := json.NewDecoder(os.Stdin).Decode(&spec); err != nil {
		return err
	}
	pkg, found, err := schema.BindSpec(spec, nil, schema.ValidationOptions{})
	if err != nil {
		return err
	}
	if found.HasErrors() {
		return found
	}
	http.DefaultTransport = http.NewFileTransport(http.Dir(folder)) // there is no icon, and a machine without a network
	files, err := dotnet.GeneratePackage("pulumi", pkg, nil, nil)
	if err != nil {
		return err
	}
	delete(files, "logo.png")
	for name, text := range files {
		place := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(place), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(place, text, 0o666); err != nil {
			return err
		}
	}
	return nil
}
