package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/uuid"

	"trien/deploy/standalone"
	"trien/ledger"
	"trien/ledger/audit"
	"trien/ledger/tiles"
	"trien/vault"
	"trien/vault/objects"
	"trien/vault/postgres"
)

// reconcileFlags of `trien reconcile`.
type reconcileFlags struct {
	dir, config, log, ca, policy, inventory string
	grace                                   lifetime
	first                                   int
	access                                  bool
	after                                   string
}

// name of the log that is compared with.
func (o reconcileFlags) name() string {
	if o.access {
		return accessLog
	}
	return recordsLog
}

// reconcileCommand compares every version in the database with the published ledger, or the access record with the access log, both ways. It
// reads the database and the published files, not the running server, and may run beside it. What came out stands in the access record.
func reconcileCommand(ctx context.Context, args []string, s stdio) error {
	f := flags("reconcile", s)
	o := reconcileFlags{grace: lifetime(audit.DefaultGrace)}
	f.StringVar(&o.config, "config", "", "configuration `file` of the vault")
	f.StringVar(&o.dir, "standalone", "", "`folder` of a standalone vault that does not run now")
	f.StringVar(&o.log, "log", "", "`URL` or folder where the log is published; empty: the bucket of the configuration")
	f.StringVar(&o.ca, "ca", "", "PEM `file` of the authority that the URL's server is under; empty: the system's")
	f.StringVar(&o.policy, "policy", "", "`file` with the ledger's policy; empty: by the keys and witnesses of the configuration")
	f.StringVar(&o.inventory, "inventory", "", "keep the list of versions in this `file`, for auditors (trien-verify reconcile)")
	f.Var(&o.grace, "grace", "versions and events younger than this `time` need not be in the ledger yet")
	f.IntVar(&o.first, "first", 20, "print the first `N` differences")
	f.BoolVar(&o.access, "access", false, "compare the access record, its batches and the access log, instead of the versions")
	f.StringVar(&o.after, "after", "", "with --access: go on behind the event of this `id`, where a comparison was cut short")
	if err := parse(f, args, false); err != nil {
		return err
	}
	if (o.dir == "") == (o.config == "") {
		fmt.Fprintln(s.err, "trien reconcile: give either --standalone DIR or --config FILE")
		return errUsage
	}
	if _, err := o.begin(); err != nil || o.access && o.inventory != "" {
		fmt.Fprintln(s.err, "trien reconcile: --after ID goes with --access, --inventory FILE does not")
		return errUsage
	}
	if o.dir != "" {
		return reconcileStandalone(ctx, o, s)
	}
	set, err := loadSettings(o.config)
	if err != nil {
		return err
	}
	return reconcileSettings(ctx, set, o, s)
}

func reconcileStandalone(ctx context.Context, o reconcileFlags, s stdio) (err error) {
	svc, err := standalone.Start(ctx, o.dir, newLogger(s))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, svc.Close()) }()
	set, _, err := standaloneSettings(ctx, svc, serveFlags{dir: o.dir})
	if err != nil {
		return err
	}
	return reconcileSettings(ctx, set, o, s)
}

// errDifferences ends the program with status 1.
var errDifferences = errors.New("database and ledger differ")

func reconcileSettings(ctx context.Context, set settings, o reconcileFlags, s stdio) error {
	policy, err := o.readPolicy(ctx, set)
	if err != nil {
		return err
	}
	log, err := o.openLog(ctx, set)
	if err != nil {
		return err
	}
	return reconcile(ctx, set.databaseURL, policy, log, o, s)
}

func (o reconcileFlags) readPolicy(ctx context.Context, set settings) (*ledger.Policy, error) {
	if o.policy == "" {
		witnesses := set.logs.witnesses
		if witnesses == nil {
			witnesses = []byte("quorum none\n")
		}
		config := set.logs.records
		if o.access {
			config = set.logs.access
		}
		return logPolicy(ctx, config, witnesses)
	}
	text, err := os.ReadFile(o.policy)
	if err != nil {
		return nil, err
	}
	policy, err := ledger.ParsePolicy(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.policy, err)
	}
	return policy, nil
}

// openLog reads what strangers read: over the network, or out of the bucket that it comes from.
func (o reconcileFlags) openLog(ctx context.Context, set settings) (*tiles.Client, error) {
	if o.log == "" {
		bucket := set.objects
		if set.logs.bucket != nil {
			bucket = *set.logs.bucket
		}
		public, err := objects.OpenPublic(ctx, bucket, path.Join(set.logs.prefix, o.name()))
		if err != nil {
			return nil, fmt.Errorf("opening the bucket of the public ledger: %w", err)
		}
		return tiles.NewClient(public), nil
	}
	var c tiles.HTTPConfig
	if o.ca != "" {
		pem, err := os.ReadFile(o.ca)
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", o.ca)
		}
		c.Roots = roots
	}
	return tiles.OpenClient(o.log, c)
}

func reconcile(ctx context.Context, databaseURL string, policy *ledger.Policy, log audit.Log, o reconcileFlags, s stdio) error {
	store, err := postgres.Open(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	defer store.Close()
	if err := store.Ready(ctx); err != nil {
		return fmt.Errorf("asking the database: %w", err)
	}
	if o.access {
		return reconcileAccess(ctx, store, policy, log, o, s)
	}
	sum, list, err := compareLeaves(ctx, rowsOf(store.LoggedVersions(ctx)), ledger.VersionLeafFormat, policy, log, o)
	result := vault.Reconciled{Leaves: sum.Leaves, Versions: sum.Versions, Differences: sum.Differences, Err: err}
	if recording := vault.New(vault.Config{Store: store}).RecordReconciliation(ctx, result); recording != nil {
		return errors.Join(err, recording)
	}
	if err != nil {
		return fmt.Errorf("reconciling: %w", err)
	}
	printReconciled(s.out, sum, list)
	if sum.Differences > 0 {
		return fmt.Errorf("%w: %d", errDifferences, sum.Differences)
	}
	return nil
}

// compareLeaves lists all that have a leaf into a file and compares that with the log: the database's snapshot is held no longer than it takes to
// read it. The log's size is asked first, so that each of its leaves was somebody's before the list was made.
func compareLeaves(
	ctx context.Context, rows iter.Seq2[audit.Row, error], format string, policy *ledger.Policy, log audit.Log, o reconcileFlags,
) (sum audit.Reconciled, list []audit.Difference, err error) {
	signed, err := log.Checkpoint(ctx)
	if err != nil {
		return sum, nil, err
	}
	c, err := policy.OpenCheckpoint(signed)
	if err != nil {
		return sum, nil, fmt.Errorf("judging the checkpoint: %w", err)
	}
	dir := "" // the system's
	if o.inventory != "" {
		dir = filepath.Dir(o.inventory)
	}
	file, err := os.CreateTemp(dir, ".inventory-*") // mode 0600
	if err != nil {
		return sum, nil, err
	}
	defer func() { _ = os.Remove(file.Name()); _ = file.Close() }()
	made := time.Now().UTC().Truncate(time.Microsecond)
	err = audit.WriteInventory(file, audit.Inventory{Origin: policy.Origin(), Made: made, Size: c.Size, Rows: rows})
	if err == nil && o.inventory != "" {
		err = errors.Join(file.Sync(), os.Rename(file.Name(), o.inventory))
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return sum, nil, fmt.Errorf("listing the leaves: %w", err)
	}
	inventory, err := audit.ReadInventory(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return sum, nil, err
	}
	sum, err = audit.Reconciliation{Policy: policy, Log: log, Leaves: format, Grace: time.Duration(o.grace), Scratch: dir, Report: func(d audit.Difference) {
		if len(list) < o.first {
			list = append(list, d)
		}
	}}.Run(ctx, inventory)
	return sum, list, err
}

// rowsOf turns the database's list into rows of an inventory.
func rowsOf(versions iter.Seq2[vault.LoggedVersion, error]) iter.Seq2[audit.Row, error] {
	return func(yield func(audit.Row, error) bool) {
		for v, err := range versions {
			if !yield(rowOf(v.Version.UUID, v.LoggedLeaf), err) {
				return
			}
		}
	}
}

func rowOf(id uuid.UUID, l vault.LoggedLeaf) audit.Row {
	row := audit.Row{Kind: audit.Kept, Version: id, Leaf: l.Leaf, Index: l.Index}
	if !l.Logged {
		row.Kind, row.Time = audit.Pending, l.Time
	}
	return row
}

func printReconciled(w io.Writer, sum audit.Reconciled, list []audit.Difference) {
	fmt.Fprintf(w, "%d leaves, %d versions, %d matched (%d without a receipt yet), %d waiting, %d newer, %d destructions, %d changes of keys, %d differences\n",
		sum.Leaves, sum.Versions, sum.Matched, sum.Unconfirmed, sum.Waiting, sum.Newer, sum.Destroying, sum.Keys, sum.Differences)
	for _, d := range list {
		if d.Kind == audit.Twice {
			fmt.Fprintf(w, "%s index %s index %s version %s\n", d.Kind, indexText(d.Index), indexText(d.Other), d.Version)
			continue
		}
		fmt.Fprintf(w, "%s index %d version %s leaf %s\n", d.Kind, d.Index, d.Version, d.Leaf)
	}
}

// indexText is "-" for a version that has no leaf yet.
func indexText(index uint64) string {
	if index == audit.NoIndex {
		return "-"
	}
	return strconv.FormatUint(index, 10)
}
