package vault

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"trien/ledger"
	"trien/vault/envelope"
)

// An intake carries a stream to durable ciphertext: begin makes the upload known, put stores it, and one commit of the
// store makes something of it. Whatever ends earlier abandons the upload.
//
// A crash before put leaves a staged row; after put, also an orphan ciphertext. The sweeper removes both once the upload
// has not beaten for the grace period.
type intake struct {
	v          *Vault
	ctx        context.Context // ends when the request does, or when the sweeper has taken the upload
	upload     Upload
	associated []byte // register and id: an object moved elsewhere does not open
	key        envelope.DataKey
	object     SealedObject
	sealedHash ledger.Hash
	size       int64
	hash       ledger.Hash
	committed  bool
	cancel     context.CancelCauseFunc
}

// associated is the place an object belongs to; it is bound into the ciphertext and into the wrapped key.
func associated(r Register, id uuid.UUID) []byte {
	return fmt.Appendf(nil, "trien/object/v1\n%s\n%s\n", r, id)
}

// begin stages an upload. If the idempotency key was fulfilled before, it returns the version of then and no intake.
func (v *Vault) begin(ctx context.Context, a Actor, idempotency string, fingerprint ledger.Hash, place []byte) (*intake, VersionID, error) {
	random := make([]byte, 20)
	rand.Read(random)
	in := &intake{v: v, associated: place, key: envelope.NewDataKey(), upload: Upload{
		ID: UploadID{newID()}, Account: a.Account, IdempotencyKey: idempotency, Fingerprint: fingerprint,
		ObjectKey: "o/" + hex.EncodeToString(random[:1]) + "/" + hex.EncodeToString(random[1:]), Started: v.now(),
	}}
	in.object.Key = in.upload.ObjectKey
	done, err := v.store.BeginUpload(ctx, in.upload)
	if err != nil {
		return nil, VersionID{}, fmt.Errorf("staging an upload: %w", err)
	}
	if !done.IsZero() {
		return nil, done, nil
	}
	in.ctx, in.cancel = context.WithCancelCause(ctx)
	go in.beat()
	return in, VersionID{}, nil
}

// beat says that the upload is alive until it ends.
func (in *intake) beat() {
	tick := time.NewTicker(min(in.v.limits.UploadGrace/5, BeatEvery))
	defer tick.Stop()
	for {
		select {
		case <-in.ctx.Done():
			return
		case <-tick.C:
			if err := in.v.store.BeatUpload(in.ctx, in.upload.ID, in.v.now()); errors.Is(err, ErrConflict) {
				in.cancel(fmt.Errorf("keeping an upload alive: %w", err))
				return
			}
		}
	}
}

// put streams r into the object store in one pass: hash, encrypt, put. Nothing but a few segments is in memory. size is what r
// must give, or -1 if that is not known.
func (in *intake) put(r io.Reader, most, size int64) error {
	ctx := in.ctx
	pr, pw := io.Pipe()
	plain := sha256.New()
	failed := make(chan error, 1)
	go func() {
		n, err := in.encrypt(pw, io.TeeReader(expect(r, most, size), plain))
		in.size = n
		pw.CloseWithError(err) // nil ends the object well
		failed <- err
	}()
	sealed := size
	if size >= 0 {
		sealed = envelope.SealedSize(size)
	}
	stored, err := in.v.objects.Put(ctx, in.object.Key, pr, sealed)
	pr.CloseWithError(errors.New("the object store stopped reading"))
	if cause := <-failed; cause != nil && (err == nil || errors.Is(err, cause)) {
		return cause
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = errors.Join(cause, err)
		}
		return fmt.Errorf("storing ciphertext: %w", err)
	}
	in.hash = ledger.Hash(plain.Sum(nil))
	in.sealedHash, in.object.Size = stored.SHA256, stored.Size
	if in.size == 0 {
		return ErrEmpty
	}
	if stored.Size != envelope.SealedSize(in.size) {
		return fmt.Errorf("%w: %d bytes were stored for %d", ErrTampered, stored.Size, in.size)
	}
	in.object.WrappedKey, err = in.v.keys.Wrap(ctx, in.key, in.associated)
	if err != nil {
		return fmt.Errorf("wrapping a data key: %w", err)
	}
	return nil
}

func (in *intake) encrypt(w io.Writer, r io.Reader) (int64, error) {
	sealed, err := envelope.NewWriter(w, in.key, in.associated)
	if err != nil {
		return 0, fmt.Errorf("encrypting: %w", err)
	}
	n, err := io.Copy(sealed, r)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return n, fmt.Errorf("%w: %w", ErrInterrupted, err)
	}
	if err != nil {
		return n, err
	}
	return n, sealed.Close()
}

// expect refuses more than most bytes, and where size is given, more or fewer than that.
func expect(r io.Reader, most, size int64) io.Reader {
	if size < 0 {
		return &limited{r: r, left: most, over: ErrTooLarge}
	}
	return &limited{r: r, left: size, over: ErrSizeMismatch, exact: true}
}

// limited refuses the byte after the last one allowed.
type limited struct {
	r     io.Reader
	left  int64
	over  error // what is said of too many
	exact bool  // too few are refused too
}

func (l *limited) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, l.over
	}
	if err == io.EOF && l.exact && l.left > 0 {
		return n, ErrSizeMismatch
	}
	return n, err
}

// content reads back what was put, from the object store.
func (in *intake) content() (*opened, error) {
	return in.v.open(in.ctx, in.object, in.key, in.associated)
}

// end stops the beat and, unless the commit succeeded, leaves nothing behind, even if the request has ended.
func (in *intake) end() {
	in.cancel(nil)
	if in.committed {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(in.ctx), 10*time.Second)
	defer cancel()
	if err := in.v.store.AbandonUpload(ctx, in.upload.ID); err != nil {
		in.v.logger.WarnContext(ctx, "abandoned upload is left to the sweeper", slog.Any("upload", in.upload.ID), slog.Any("error", err))
		return
	}
	// The object's key stays garbage until the sweeper has deleted it once more: a put that the server finishes late
	// must not survive.
	if err := in.v.objects.Delete(ctx, in.object.Key); err != nil {
		in.v.logger.WarnContext(ctx, "abandoned object is left to the sweeper", slog.Any("upload", in.upload.ID), slog.Any("error", err))
	}
}

// opened is plaintext by range.
type opened struct {
	*envelope.Reader
	object ObjectReader
}

func (o *opened) Close() error { return o.object.Close() }

// ReadAt turns a failed authentication into the vault's own kind.
func (o *opened) ReadAt(p []byte, off int64) (int, error) {
	n, err := o.Reader.ReadAt(p, off)
	return n, tampered(err)
}

// WriteTo streams everything with read-ahead.
func (o *opened) WriteTo(w io.Writer) (int64, error) {
	n, err := o.Reader.WriteTo(w)
	return n, tampered(err)
}

func tampered(err error) error {
	if errors.Is(err, envelope.ErrTampered) {
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return err
}

// open opens an object whose data key is at hand.
func (v *Vault) open(ctx context.Context, o SealedObject, key envelope.DataKey, place []byte) (*opened, error) {
	object, err := v.objects.Open(ctx, o.Key, o.Size)
	if err != nil {
		return nil, fmt.Errorf("opening ciphertext: %w", err)
	}
	r, err := envelope.NewReader(object, o.Size, key, place)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening ciphertext: %w", tampered(err)), object.Close())
	}
	return &opened{r, object}, nil
}

// unwrap recovers the data key of an object.
func (v *Vault) unwrap(ctx context.Context, o SealedObject, place []byte) (envelope.DataKey, error) {
	key, err := v.keys.Unwrap(ctx, o.WrappedKey, place)
	if err != nil {
		return envelope.DataKey{}, fmt.Errorf("unwrapping a data key: %w", tampered(err))
	}
	return key, nil
}

// openSealed unwraps the key and opens the object.
func (v *Vault) openSealed(ctx context.Context, o SealedObject, place []byte) (*opened, envelope.DataKey, error) {
	key, err := v.unwrap(ctx, o, place)
	if err != nil {
		return nil, key, err
	}
	r, err := v.open(ctx, o, key, place)
	return r, key, err
}
