package vault

import (
	"context"
	"errors"
	"fmt"
	"io"

	"trien/signing"
	"trien/vault/bundle"
	"trien/vault/envelope"
)

// Bounds of the picture of a signature or of a seal. Each signature that shows it carries it.
const (
	MaxPicture     = 512 << 10 // bytes of the PNG
	maxPictureSide = 2048      // pixels
)

// Millimetres that the seal of an organisation may measure on paper.
const (
	minSeal = 15
	maxSeal = 60
)

// SealedPicture is the picture of a person's signature, encrypted under a data key of its own. The zero one is none.
type SealedPicture struct {
	WrappedKey []byte
	Sealed     []byte
}

// picturePlace binds a picture to the account it is of.
func picturePlace(id AccountID) []byte {
	return fmt.Appendf(nil, "trien/signature-picture/v1\n%s\n", id)
}

// CheckSealPicture says whether the picture can be an organisation's seal: as [Vault.SetSignaturePicture] asks, and of a known size on paper, 15 to
// 60 mm each way, since a seal is shown in its own. The error wraps [ErrPicture].
func CheckSealPicture(p *signing.Picture) error {
	size, err := checkPicture(p)
	if err != nil {
		return err
	}
	for _, side := range size {
		switch mm := side / signing.Millimetre; {
		case mm == 0:
			return fmt.Errorf("%w: neither the file nor the configuration says how large the seal is on paper", ErrPicture)
		case mm < minSeal || mm > maxSeal:
			return fmt.Errorf("%w: the seal measures %.1f mm, and %d to %d can be shown", ErrPicture, mm, minSeal, maxSeal)
		}
	}
	return nil
}

// checkPicture returns the picture's size on paper in points, zero if that is not known.
func checkPicture(p *signing.Picture) (size [2]float64, err error) {
	if len(p.PNG) > MaxPicture {
		return size, fmt.Errorf("%w: more than %d bytes", ErrPicture, MaxPicture)
	}
	pixels, size, err := p.Check()
	if err != nil {
		return size, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	if max(pixels[0], pixels[1]) > maxPictureSide {
		return size, fmt.Errorf("%w: %d × %d pixels are more than %d each way", ErrPicture, pixels[0], pixels[1], maxPictureSide)
	}
	return size, nil
}

// SetSignaturePicture sets the picture that the signatures of an account show from now on: a PNG, transparent where there is no ink (Decree 30/2020/NĐ-CP,
// annex I, part I, II.7), of at most 512 KiB and 2048 pixels each way; [ErrPicture] otherwise. Nil takes it away. It is stored encrypted, and nobody gets
// it back but on documents that its owner signs.
func (v *Vault) SetSignaturePicture(ctx context.Context, a Actor, id AccountID, png []byte) error {
	if err := v.authorize(ctx, a, ManageAccess, a.Unit, Target{Subject: id}); err != nil {
		return err
	}
	var sealed SealedPicture
	if png != nil {
		if _, err := checkPicture(&signing.Picture{PNG: png}); err != nil {
			return err
		}
		key := envelope.NewDataKey()
		var err error
		if sealed.WrappedKey, err = v.keys.Wrap(ctx, key, picturePlace(id)); err != nil {
			return fmt.Errorf("wrapping the key of a picture: %w", err)
		}
		sealed.Sealed = envelope.SealBytes(key, png, picturePlace(id))
	}
	if err := v.store.SetSignaturePicture(ctx, id, sealed, v.event(a, ManageAccess, Target{Subject: id})); err != nil {
		return fmt.Errorf("setting the picture of a signature: %w", err)
	}
	return nil
}

// HasSignaturePicture tells whether the signatures of an account show a picture.
func (v *Vault) HasSignaturePicture(ctx context.Context, a Actor, id AccountID) (bool, error) {
	if err := v.authorize(ctx, a, ManageAccess, a.Unit, Target{Subject: id}); err != nil {
		return false, err
	}
	if err := v.recordRead(ctx, a, ListAccounts, Target{Subject: id}); err != nil {
		return false, err
	}
	_, err := v.store.SignaturePicture(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// signaturePicture is what an official's signature shows; nil for none.
func (v *Vault) signaturePicture(ctx context.Context, id AccountID) (*signing.Picture, error) {
	stored, err := v.store.SignaturePicture(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the picture of a signature: %w", err)
	}
	key, err := v.keys.Unwrap(ctx, stored.WrappedKey, picturePlace(id))
	if err != nil {
		return nil, fmt.Errorf("unwrapping the key of a picture: %w", tampered(err))
	}
	png, err := envelope.OpenBytes(key, stored.Sealed, picturePlace(id))
	if err != nil {
		return nil, fmt.Errorf("opening the picture of a signature: %w", tampered(err))
	}
	return &signing.Picture{PNG: png}, nil
}

// sealLooks are how the seal may show on an export, the best first: its picture over a third of the picture of the person's signature, as Decree 30/2020/NĐ-CP
// lays out, or, where the person's signature has none or leaves no room, in the place that the cover keeps for it.
func (v *Vault) sealLooks(doc io.ReaderAt, size int64, name string) ([]*signing.Appearance, error) {
	_, rect := bundle.SignatureRects()
	apart := &signing.Appearance{Page: 1, Rect: rect, Unit: name, ShowTime: true, Picture: v.sealPicture}
	if v.sealPicture == nil {
		return []*signing.Appearance{apart}, nil
	}
	pictured, err := signing.PicturedSignatures(doc, size)
	if err != nil {
		return nil, fmt.Errorf("looking for the picture of a signature: %w", err)
	}
	if len(pictured) != 1 {
		return []*signing.Appearance{apart}, nil
	}
	return []*signing.Appearance{{Over: pictured[0], Picture: v.sealPicture}, apart}, nil
}
