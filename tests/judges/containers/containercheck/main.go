// Command containercheck judges many Compose files or Dockerfiles in one process.
//
// A Compose file is loaded by compose-go, the code of `docker compose config`: its
// schema, unknown keys too, the interpolation, and whether what it names is there. All
// profiles are on. The variables that it asks for come from `.env.example` beside it:
// one that is not named there is a fault, so is one there that no Compose file of the
// folder asks for. Files that it mounts must lie beside it. A warning is a fault.
//
// A Dockerfile is read and linted by BuildKit's own front end, with all rules that it
// has. Nothing is fetched: each image is taken to be there.
//
//	containercheck compose [-json] FILE…
//	containercheck dockerfile [-json] FILE…
//
// Without FILE the names are read from stdin, one a line. The exit code is 0 if all
// files are right, 1 if one is wrong, 2 if nothing was judged.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"
)

// Report is what is known of one file: one line of the output of `-json`.
type Report struct {
	File   string   `json:"file"`
	Faults []string `json:"faults"`
	// Project is the model of a Compose file, as it is once everything is filled in.
	Project json.RawMessage `json:"project,omitempty"`
}

func main() {
	if len(os.Args) < 2 {
		fail("compose or dockerfile?")
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	asJSON := flags.Bool("json", false, "print one JSON object a file")
	_ = flags.Parse(os.Args[2:])
	judges := map[string]func(*Report){"compose": compose, "dockerfile": dockerfile}
	judge, known := judges[os.Args[1]]
	if !known {
		fail("compose or dockerfile?")
	}
	files := flags.Args()
	if len(files) == 0 {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			files = append(files, lines.Text())
		}
	}
	if len(files) == 0 {
		fail("no file to judge")
	}
	wrong := 0
	encoder := json.NewEncoder(os.Stdout)
	for _, file := range files {
		report := Report{File: file, Faults: []string{}}
		judge(&report)
		if len(report.Faults) > 0 {
			wrong++
		}
		if *asJSON {
			if err := encoder.Encode(report); err != nil {
				fail(err.Error())
			}
		} else {
			for _, fault := range report.Faults {
				fmt.Printf("%s: %s\n", file, fault)
			}
		}
	}
	fmt.Fprintf(os.Stderr, "containercheck: %d files, %d wrong\n", len(files), wrong)
	if wrong > 0 {
		os.Exit(1)
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, "containercheck:", message)
	os.Exit(2)
}

func (r *Report) fault(format string, args ...any) {
	r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
}

// compose judges one Compose file.
func compose(report *Report) {
	var warnings bytes.Buffer
	logrus.SetOutput(&warnings)
	logrus.SetLevel(logrus.WarnLevel)
	folder, err := filepath.Abs(filepath.Dir(report.File))
	if err != nil {
		fail(err.Error())
	}
	text, err := os.ReadFile(report.File)
	if err != nil {
		report.fault("%v", err)
		return
	}
	environment := variables(report, folder)
	project, err := loader.LoadWithContext(context.Background(), types.ConfigDetails{
		WorkingDir:  folder,
		ConfigFiles: []types.ConfigFile{{Filename: report.File, Content: text}},
		Environment: environment,
	}, loader.WithProfiles([]string{"*"}), func(options *loader.Options) {
		// Files of variables stand in the repository, which is not here.
		options.SkipResolveEnvironment = true
	})
	if err != nil {
		report.fault("%v", err)
		return
	}
	for _, line := range strings.Split(strings.TrimSpace(warnings.String()), "\n") {
		if line != "" {
			report.fault("%s", line)
		}
	}
	report.mounts(folder, project)
	report.conditions(project)
	report.Project, err = project.MarshalJSON()
	if err != nil {
		report.fault("%v", err)
	}
}

// variables returns a value for each variable that `.env.example` names, and compares
// these with those that the Compose files of the folder ask for.
func variables(report *Report, folder string) map[string]string {
	given := map[string]string{}
	file := filepath.Join(folder, ".env.example")
	if text, err := os.ReadFile(file); err == nil {
		given, err = dotenv.ParseWithLookup(bytes.NewReader(text), func(string) (string, bool) { return "", false })
		if err != nil {
			report.fault("%s: %v", file, err)
		}
	}
	asked := map[string]bool{}
	beside, _ := filepath.Glob(filepath.Join(folder, "*.yml"))
	more, _ := filepath.Glob(filepath.Join(folder, "*.yaml"))
	for _, path := range append(beside, more...) {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for _, line := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			found := template.ExtractVariables(map[string]any{"line": line}, template.DefaultPattern)
			for name := range found {
				asked[name] = true
			}
		}
		// What a secret is read from is named without a dollar sign.
		for _, line := range strings.Split(string(text), "\n") {
			if name, is := strings.CutPrefix(strings.TrimSpace(line), "environment: "); is {
				asked[strings.Trim(name, `"`)] = true
			}
		}
	}
	for name := range given {
		if !asked[name] {
			report.fault(".env.example names %s, which no Compose file asks for", name)
		}
		if given[name] == "" {
			given[name] = "given"
		}
	}
	for name := range asked {
		if _, is := given[name]; !is {
			report.fault("%s is asked for, and .env.example does not name it", name)
		}
	}
	sort.Strings(report.Faults)
	return given
}

// mounts finds files that are mounted from the folder and are not there; what is made by hand lies elsewhere.
func (r *Report) mounts(folder string, project *types.Project) {
	there := func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	}
	for name, config := range project.Configs {
		if config.File != "" && strings.HasPrefix(config.File, folder+"/") && !there(config.File) {
			r.fault("config %s: there is no %s", name, config.File)
		}
	}
	for _, service := range project.Services {
		for _, volume := range service.Volumes {
			if volume.Type == types.VolumeTypeBind && strings.HasPrefix(volume.Source, folder+"/") && !there(volume.Source) {
				r.fault("%s mounts %s, which is not there", service.Name, volume.Source)
			}
		}
	}
}

// conditions finds waits for the health of what nobody asks for its health.
func (r *Report) conditions(project *types.Project) {
	for _, service := range project.Services {
		for target, on := range service.DependsOn {
			other, err := project.GetService(target)
			if err != nil {
				continue
			}
			unchecked := other.HealthCheck == nil || other.HealthCheck.Disable
			if on.Condition == types.ServiceConditionHealthy && unchecked {
				r.fault("%s waits for the health of %s, which has no check", service.Name, target)
			}
			shares := false
			for network := range service.Networks {
				_, is := other.Networks[network]
				shares = shares || is
			}
			if on.Condition != types.ServiceConditionCompletedSuccessfully && !shares && service.NetworkMode == "" && other.NetworkMode == "" {
				r.fault("%s depends on %s, and they share no network", service.Name, target)
			}
		}
	}
}

// resolver knows every image, and nothing about it.
type resolver struct{}

func (resolver) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	config, err := json.Marshal(ocispecs.Image{Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}})
	return ref, digest.FromBytes(config), config, err
}

// dockerfile judges one Dockerfile.
func dockerfile(report *Report) {
	text, err := os.ReadFile(report.File)
	if err != nil {
		report.fault("%v", err)
		return
	}
	platform := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	source := llb.NewSourceMap(nil, report.File, "Dockerfile", text)
	source.Definition = &llb.Definition{}
	options := dockerfile2llb.ConvertOpt{
		MetaResolver:   resolver{},
		TargetPlatform: &platform,
		SourceMap:      source,
	}
	results, err := dockerfile2llb.DockerfileLint(context.Background(), text, options)
	if err != nil {
		report.fault("%v", err)
		return
	}
	if results.Error != nil {
		report.fault("%s", results.Error.Message)
	}
	for _, warning := range results.Warnings {
		line := int32(0)
		if warning.Location != nil && len(warning.Location.Ranges) > 0 {
			line = start(warning.Location.Ranges[0])
		}
		report.fault("%d: %s: %s", line, warning.RuleName, warning.Detail)
	}
}

func start(at *pb.Range) int32 { return at.Start.Line }
