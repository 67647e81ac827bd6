// Command jobcheck judges many Nomad files in one process.
//
// It does what `nomad job validate` does without an agent, and what only a
// client's task runner does: it checks each task's driver `config` against the
// schema that the driver declares, and the names that the config interpolates
// against those that Nomad will know. It does not talk to an agent and does not
// judge formatting (`nomad fmt -check` takes many files already).
//
//	jobcheck [-json] [-var NAME=VALUE]… FILE…   job files
//	jobcheck -acl [-json] FILE…                 ACL policies
//	jobcheck -hcl [-json] FILE…                 any HCL, its syntax only
//
// Without FILE, or with `-`, the names are read from stdin, one a line. The exit
// code is 0 if all files are right, 1 if one is wrong, 2 if nothing was judged.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/nomad/acl"
	"github.com/hashicorp/nomad/api"
	"github.com/hashicorp/nomad/command/agent"
	"github.com/hashicorp/nomad/jobspec2"
)

// Report is what is known of one file: one line of the output of `-json`.
type Report struct {
	File     string   `json:"file"`
	Error    *string  `json:"error"`
	Warnings []string `json:"warnings,omitempty"`
	// Job is the job as it was parsed, before Nomad fills in its defaults.
	Job json.RawMessage `json:"job,omitempty"`
	// Policy is the ACL policy as Nomad understands it.
	Policy *acl.Policy `json:"policy,omitempty"`
	// HCL is the body of the file, with each expression that has a value as it.
	HCL *Body `json:"hcl,omitempty"`
}

type variables []string

func (v *variables) String() string { return fmt.Sprint(*v) }

func (v *variables) Set(value string) error {
	*v = append(*v, value)
	return nil
}

func main() {
	var vars variables
	asJSON := flag.Bool("json", false, "print one JSON object a file")
	asHCL := flag.Bool("hcl", false, "check the HCL syntax only")
	asACL := flag.Bool("acl", false, "the files are ACL policies")
	flag.Var(&vars, "var", "`NAME=VALUE` of a job's variable")
	flag.Parse()

	files, err := named(flag.Args())
	if err == nil && len(files) == 0 {
		err = errors.New("no file to judge")
	}
	if err != nil {
		fail(err)
	}

	wrong := 0
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, file := range files {
		report := Report{File: file}
		text, err := os.ReadFile(file)
		if err == nil {
			switch {
			case *asHCL:
				err = report.checkHCL(text)
			case *asACL:
				report.Policy, err = acl.Parse(string(text), acl.PolicyParseStrict)
			default:
				err = report.checkJob(text, vars)
			}
		}
		if err != nil {
			wrong++
			message := strings.Join(each(err), "\n")
			report.Error = &message
		}
		if *asJSON {
			if err := encoder.Encode(report); err != nil {
				fail(err)
			}
		} else if report.Error != nil {
			for line := range strings.SplitSeq(*report.Error, "\n") {
				fmt.Fprintf(out, "%s: %s\n", file, line)
			}
		}
	}
	if err := out.Flush(); err != nil {
		fail(err)
	}
	fmt.Fprintf(os.Stderr, "jobcheck: %d files, %d wrong\n", len(files), wrong)
	if wrong > 0 {
		os.Exit(1)
	}
}

// named returns the files that the arguments name, or stdin if they name none.
func named(args []string) ([]string, error) {
	if len(args) > 0 && !(len(args) == 1 && args[0] == "-") {
		return args, nil
	}
	var files []string
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if lines.Text() != "" {
			files = append(files, lines.Text())
		}
	}
	return files, lines.Err()
}

// checkJob checks what `nomad job validate` checks, and then each driver config.
func (r *Report) checkJob(text []byte, vars []string) error {
	job, err := jobspec2.ParseWithConfig(&jobspec2.ParseConfig{
		Path:    r.File,
		BaseDir: home(r.File),
		Body:    text,
		ArgVars: vars,
		AllowFS: true,
		Strict:  true,
	})
	if err != nil {
		return err
	}
	// Only now, since the next step fills the defaults into this very value.
	r.Job, err = json.Marshal(job)
	if err != nil {
		return err
	}
	return errors.Join(r.validate(job), checkConfigs(job))
}

// home is the folder from which a job is run, since that is where Nomad looks for
// the files that it reads: the one above `deployments`, else the present one.
func home(file string) string {
	at := strings.LastIndex("/"+file, "/deployments/")
	if at <= 0 {
		return "."
	}
	return file[:at-1]
}

// validate is `validateLocal` of Nomad's command `job validate`, which is private.
func (r *Report) validate(job *api.Job) error {
	if job.ID == nil {
		return errors.New("the job has no ID")
	}
	canonical := agent.ApiJobToStructJob(job)
	canonical.Canonicalize()
	if warnings := canonical.Warnings(); warnings != nil {
		r.Warnings = each(warnings)
	}
	return canonical.Validate()
}

// each returns the messages of all errors that one error stands for, in order.
func each(err error) []string {
	var several []error
	switch it := err.(type) {
	case interface{ Unwrap() []error }:
		several = it.Unwrap()
	case interface{ WrappedErrors() []error }:
		several = it.WrappedErrors()
	case interface{ Errs() []error }:
		several = it.Errs()
	}
	if len(several) < 2 && (len(several) == 0 || several[0] == err) {
		return []string{err.Error()}
	}
	var messages []string
	for _, one := range several {
		messages = append(messages, each(one)...)
	}
	return messages
}

// fail ends the program when it cannot judge at all.
func fail(err error) {
	fmt.Fprintln(os.Stderr, "jobcheck:", err)
	os.Exit(2)
}
