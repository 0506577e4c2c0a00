// Next times as the CronJob controller computes them: robfig/cron at Kubernetes' version.
// Each line of stdin is {"spec", "zone", "after", "count"}; each line of stdout a list of seconds since 1970,
// null for a schedule that is refused, shorter than count where nothing more comes.
package main

import (
	"encoding/json"
	"io"
	"os"
	"time"

	"github.com/robfig/cron/v3"
)

func main() {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var ask struct {
			Spec, Zone string
			After      int64
			Count      int
		}
		if err := in.Decode(&ask); err == io.EOF {
			return
		} else if err != nil {
			panic(err)
		}
		schedule, err := cron.ParseStandard("TZ=" + ask.Zone + " " + ask.Spec)
		if err != nil {
			_ = out.Encode(nil)
			continue
		}
		found := []int64{}
		for next := schedule.Next(time.Unix(ask.After, 0)); len(found) < ask.Count && !next.IsZero(); next = schedule.Next(next) {
			found = append(found, next.Unix())
		}
		_ = out.Encode(found)
	}
}
