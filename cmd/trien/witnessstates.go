package main

import (
	"trien/api"
	"trien/ledger/trillianlog"
)

// witnessStates tell how the witnesses of each log do.
func (l logs) witnessStates() map[string]func() []api.WitnessState {
	of := func(log *trillianlog.Log) func() []api.WitnessState {
		return func() []api.WitnessState {
			var states []api.WitnessState
			for _, s := range log.Witnesses() {
				states = append(states, api.WitnessState(s))
			}
			return states
		}
	}
	return map[string]func() []api.WitnessState{recordsLog: of(l.records), accessLog: of(l.access)}
}
