package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/hashicorp/nomad/api"
	"github.com/hashicorp/nomad/drivers/docker"
	"github.com/hashicorp/nomad/drivers/exec"
	"github.com/hashicorp/nomad/drivers/java"
	"github.com/hashicorp/nomad/drivers/qemu"
	"github.com/hashicorp/nomad/drivers/rawexec"
	"github.com/hashicorp/nomad/helper"
	"github.com/hashicorp/nomad/helper/pluginutils/hclspecutils"
	"github.com/hashicorp/nomad/helper/pluginutils/hclutils"
	"github.com/hashicorp/nomad/plugins/drivers"
	"github.com/zclconf/go-cty/cty"
)

// builtin has the drivers that Nomad brings; others are plugins of their own.
var builtin = map[string]func(context.Context, hclog.Logger) drivers.DriverPlugin{
	"docker":   docker.NewDockerDriver,
	"exec":     exec.NewExecDriver,
	"java":     java.NewDriver,
	"qemu":     qemu.NewQemuDriver,
	"raw_exec": rawexec.NewRawExecDriver,
}

// schemas has the schema of a task's config for each built-in driver.
var schemas = sync.OnceValues(func() (map[string]hcldec.Spec, error) {
	schemas := map[string]hcldec.Spec{}
	for name, driver := range builtin {
		ctx, stop := context.WithCancel(context.Background())
		declared, err := driver(ctx, hclog.NewNullLogger()).TaskConfigSchema()
		stop()
		if err != nil {
			return nil, err
		}
		schema, problems := hclspecutils.Convert(declared)
		if problems.HasErrors() {
			return nil, problems
		}
		schemas[name] = schema
	}
	return schemas, nil
})

// checkConfigs checks the driver config of each task.
func checkConfigs(job *api.Job) error {
	schemas, err := schemas()
	if err != nil {
		return err
	}
	var found []error
	for _, group := range job.TaskGroups {
		for _, task := range group.Tasks {
			where := fmt.Sprintf("group %q, task %q", *group.Name, task.Name)
			schema, known := schemas[task.Driver]
			if !known {
				found = append(found, fmt.Errorf("%s: driver %q is none of Nomad's own", where, task.Driver))
				continue
			}
			for _, err := range checkConfig(schema, group, task) {
				found = append(found, fmt.Errorf("%s: driver %s: %w", where, task.Driver, err))
			}
		}
	}
	return errors.Join(found...)
}

// checkConfig decodes a task's config the way the client's task runner does, with
// a value that may be anything for each name that the client will know.
func checkConfig(schema hcldec.Spec, group *api.TaskGroup, task *api.Task) []error {
	text, err := json.Marshal(task.Config)
	if err != nil {
		return []error{err}
	}
	file, problems := hcljson.Parse(text, "")
	if problems.HasErrors() {
		return problems.Errs()
	}
	var found []error
	ports := portsOf(group, task)
	known := map[string]cty.Value{}
	for _, name := range hcldec.Variables(file.Body, schema) {
		root := name.RootName()
		if err := checkName(root, name, ports, task); err != nil {
			found = append(found, err)
		}
		// A wrong name gets a value too, so that it is not reported twice.
		known[root] = cty.DynamicVal
	}
	_, _, errs := hclutils.ParseHclInterface(task.Config, schema, known)
	found = append(found, errs...)

	// Docker looks its ports up when the task starts, and fails then.
	if wanted, is := task.Config["ports"].([]any); is && task.Driver == "docker" {
		for _, port := range wanted {
			label := fmt.Sprint(port)
			if !strings.Contains(label, "${") && !slices.Contains(ports, helper.CleanEnvVar(label, '_')) {
				found = append(found, fmt.Errorf("ports: no network of the group has a port %q", label))
			}
		}
	}
	return found
}

// portsOf returns the labels of the ports a task can name, as variables spell them.
func portsOf(group *api.TaskGroup, task *api.Task) []string {
	networks := group.Networks
	if task.Resources != nil {
		networks = slices.Concat(networks, task.Resources.Networks)
	}
	var ports []string
	for _, network := range networks {
		for _, port := range slices.Concat(network.DynamicPorts, network.ReservedPorts) {
			ports = append(ports, helper.CleanEnvVar(port.Label, '_'))
		}
	}
	return ports
}

// The names of `client/taskenv` in Nomad: those of one task, those that begin
// with a port's or another prefix, and the roots of a node's attributes.
var (
	taskNames = strings.Fields(`NOMAD_ALLOC_DIR NOMAD_TASK_DIR NOMAD_SECRETS_DIR
		NOMAD_MEMORY_LIMIT NOMAD_MEMORY_MAX_LIMIT NOMAD_CPU_LIMIT NOMAD_CPU_CORES
		NOMAD_ALLOC_ID NOMAD_SHORT_ALLOC_ID NOMAD_ALLOC_NAME NOMAD_ALLOC_INDEX
		NOMAD_TASK_NAME NOMAD_GROUP_NAME NOMAD_JOB_ID NOMAD_JOB_NAME
		NOMAD_JOB_PARENT_ID NOMAD_DC NOMAD_PARENT_CGROUP NOMAD_NAMESPACE NOMAD_REGION
		NOMAD_UNIX_ADDR NOMAD_TOKEN VAULT_TOKEN VAULT_NAMESPACE`)
	portPrefixes = strings.Fields(`NOMAD_PORT_ NOMAD_ADDR_ NOMAD_IP_ NOMAD_HOST_PORT_
		NOMAD_HOST_ADDR_ NOMAD_HOST_IP_ NOMAD_ALLOC_PORT_`)
	prefixes = strings.Fields(`NOMAD_META_ NOMAD_UPSTREAM_ NOMAD_TOKEN_
		NOMAD_ALLOC_IP_ NOMAD_ALLOC_INTERFACE_ NOMAD_ALLOC_ADDR_ CONSUL_`)
	nodeRoots = strings.Fields(`node attr meta env secret`)
)

// checkName checks that the client will know a name that a config interpolates.
func checkName(root string, name hcl.Traversal, ports []string, task *api.Task) error {
	for _, prefix := range portPrefixes {
		if label, is := strings.CutPrefix(root, prefix); is && !slices.Contains(ports, label) {
			return fmt.Errorf("`${%s}`: no network of the group has a port %q", root, label)
		} else if is {
			return nil
		}
	}
	begins := func(prefix string) bool { return strings.HasPrefix(root, prefix) }
	_, inEnv := task.Env[root]
	_, inMeta := task.Meta[root]
	switch {
	case inEnv, inMeta, slices.Contains(taskNames, root), slices.ContainsFunc(prefixes, begins):
		return nil
	case slices.Contains(nodeRoots, root) && len(name) > 1:
		return nil
	case !strings.HasPrefix(root, "NOMAD_") && slices.ContainsFunc(task.Templates, printsEnv):
		return nil
	}
	return fmt.Errorf("`${%s}`: Nomad knows no such variable", root)
}

func printsEnv(template *api.Template) bool {
	return template.Envvars != nil && *template.Envvars
}
