package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/google/uuid"

	"trien/ledger"
	"trien/ledger/audit"
	"trien/vault"
	"trien/vault/postgres"
)

// accessWords are the kinds of differences where leaves are of batches.
var accessWords = map[audit.DifferenceKind]string{
	audit.NoLeaf: "batch_without_leaf", audit.OtherLeaf: "leaf_differs", audit.NoVersion: "leaf_without_batch",
	audit.SamePlace: "two_batches_one_leaf", audit.Twice: "batch_twice", audit.UnknownLeaf: "unknown_leaf",
}

// begin is the event behind which lines are compared; zero: all are.
func (o reconcileFlags) begin() (vault.EventID, error) {
	if o.after == "" {
		return vault.EventID{}, nil
	}
	id, err := uuid.Parse(o.after)
	if err == nil && (!o.access || id == uuid.Nil) {
		err = errUsage
	}
	return vault.EventID{UUID: id}, err
}

// comparedAccess is what a comparison of the access record came to.
type comparedAccess struct {
	events    vault.EventsCompared
	faults    []vault.EventDifference
	log       audit.Reconciled
	unmatched []audit.Difference
}

func (c *comparedAccess) differences() uint64 { return c.events.Differences + c.log.Differences }

// reconcileAccess compares each line of the access record with its batch, each batch with its leaf, and the leaves with the published access log.
func reconcileAccess(ctx context.Context, store *postgres.Store, policy *ledger.Policy, log audit.Log, o reconcileFlags, s stdio) error {
	after, err := o.begin()
	if err != nil {
		return err
	}
	var c comparedAccess
	c.events, err = vault.CompareEvents(ctx, store, vault.EventComparison{
		After: after, Now: time.Now(), Grace: time.Duration(o.grace), Report: func(d vault.EventDifference) {
			if len(c.faults) < o.first {
				c.faults = append(c.faults, d)
			}
		},
	})
	if err == nil {
		c.log, c.unmatched, err = compareLeaves(ctx, batchRows(store.LoggedBatches(ctx)), ledger.BatchLeafFormat, policy, log, o)
	}
	result := vault.Reconciled{
		Access: true, Leaves: c.log.Leaves, Events: c.events.Events, Differences: c.differences(), After: after, Err: err,
	}
	recording := vault.New(vault.Config{Store: store}).RecordReconciliation(context.WithoutCancel(ctx), result)
	if err != nil {
		if c.events.Last != after {
			c.print(s.out, o)
			fmt.Fprintf(s.err, "compared up to event %s: --after %s goes on from there\n", c.events.Last, c.events.Last)
		}
		return errors.Join(fmt.Errorf("reconciling the access record: %w", err), recording)
	}
	c.print(s.out, o)
	if n := c.differences(); n > 0 {
		return errors.Join(fmt.Errorf("%w: %d", errDifferences, n), recording)
	}
	return recording
}

// batchRows turns the database's list into rows of an inventory.
func batchRows(batches iter.Seq2[vault.LoggedBatch, error]) iter.Seq2[audit.Row, error] {
	return func(yield func(audit.Row, error) bool) {
		for b, err := range batches {
			if !yield(rowOf(b.Batch.UUID, b.LoggedLeaf), err) {
				return
			}
		}
	}
}

func (c *comparedAccess) print(w io.Writer, o reconcileFlags) {
	fmt.Fprintf(w, "%d events, %d queued, %d in batches, %d of them with a destroyed seed, %d batches; ",
		c.events.Events, c.events.Queued, c.events.Placed, c.events.Destroyed, c.events.Batches)
	fmt.Fprintf(w, "%d leaves, %d batches matched (%d without a receipt yet), %d waiting, %d newer, %d changes of keys, %d differences\n",
		c.log.Leaves, c.log.Matched, c.log.Unconfirmed, c.log.Waiting, c.log.Newer, c.log.Keys, c.differences())
	for _, d := range c.faults {
		fmt.Fprintf(w, "%s event %s batch %s\n", d.Fault, idText(d.Event.UUID), idText(d.Batch.UUID))
	}
	for _, d := range c.unmatched[:min(len(c.unmatched), max(0, o.first-len(c.faults)))] {
		if d.Kind == audit.Twice {
			fmt.Fprintf(w, "%s index %s index %s batch %s\n", accessWords[d.Kind], indexText(d.Index), indexText(d.Other), d.Version)
			continue
		}
		fmt.Fprintf(w, "%s index %d batch %s leaf %s\n", accessWords[d.Kind], d.Index, idText(d.Version), d.Leaf)
	}
}

func idText(id uuid.UUID) string {
	if id == uuid.Nil {
		return "-"
	}
	return id.String()
}
