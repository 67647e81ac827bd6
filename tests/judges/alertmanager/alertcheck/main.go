// Alertcheck says what an Alertmanager would do with alerts that are all raised at
// once: whom it tells of each, and which it keeps back. It is Alertmanager's own
// code for reading its config, for routes and for inhibition, without its server.
//
//	alertcheck CONFIG < ALERTS
//
// ALERTS is a JSON list of maps from label to value; without any only the config is judged. For each it prints one line:
//
//	{"labels": {…}, "receivers": ["pager"], "muted": false}
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/common/model"
)

// answer is what becomes of one alert.
type answer struct {
	Labels    model.LabelSet `json:"labels"`
	Receivers []string       `json:"receivers"`
	Muted     bool           `json:"muted"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: alertcheck CONFIG < ALERTS")
		os.Exit(64)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "alertcheck:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	conf, err := config.LoadFile(path)
	if err != nil {
		return err
	}
	var raised []model.LabelSet
	if err := json.NewDecoder(os.Stdin).Decode(&raised); err != nil && !errors.Is(err, io.EOF) {
		return err
	}

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	recorder := eventrecorder.NopRecorder()
	alerts, err := mem.NewAlerts(ctx, time.Hour, 0, nil, quiet, recorder, nil, nil)
	if err != nil {
		return err
	}
	defer alerts.Close()
	now := time.Now()
	for _, labels := range raised {
		one := &alert.Alert{
			Alert:     model.Alert{Labels: labels, StartsAt: now.Add(-time.Hour), EndsAt: now.Add(time.Hour)},
			UpdatedAt: now,
		}
		if err := alerts.Put(ctx, one); err != nil {
			return err
		}
	}

	inhibitor := inhibit.NewInhibitor(alerts, conf.InhibitRules, quiet, recorder)
	go inhibitor.Run()
	defer inhibitor.Stop()
	inhibitor.WaitForLoading()
	route := dispatch.NewRoute(conf.Route, nil)
	out := json.NewEncoder(os.Stdout)
	for _, labels := range raised {
		receivers := []string{}
		for _, found := range route.Match(labels) {
			receivers = append(receivers, found.RouteOpts.Receiver)
		}
		if err := out.Encode(answer{labels, receivers, inhibitor.Mutes(ctx, labels)}); err != nil {
			return err
		}
	}
	return nil
}
