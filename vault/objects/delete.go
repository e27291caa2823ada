package objects

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"

	"trien/vault"
)

// maxDeleteRounds bounds Delete against somebody who puts while it deletes. A round takes a thousand versions.
const maxDeleteRounds = 100

// Delete removes key for good: the object, older versions that a versioned bucket keeps, delete markers, and unfinished
// uploads. An absent key is no error. What a retention or a legal hold protects stays, and is an error.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.delete(ctx, key); err != nil {
		return fmt.Errorf("deleting object %s: %w", key, err)
	}
	return nil
}

func (s *Store) delete(ctx context.Context, key string) error {
	if _, err := s.abortUploads(ctx, key, func(u minio.ObjectMultipartInfo) bool { return u.Key == key }); err != nil {
		return err
	}
	for range maxDeleteRounds {
		versions, err := s.versions(ctx, key)
		if r, ok := response(err); ok && r.StatusCode == http.StatusNotImplemented {
			return s.remove(ctx, key, "") // a server without versions
		}
		if err != nil {
			return classify(err)
		}
		if len(versions) == 0 {
			return nil
		}
		for _, v := range versions {
			if err := s.remove(ctx, key, v); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("%w: it keeps coming back", vault.ErrConflict)
}

func (s *Store) remove(ctx context.Context, key, version string) error {
	err := s.retry(ctx, func() error {
		return s.core.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{VersionID: version})
	})
	if hasCode(err, codeNoSuchKey, codeNoSuchVersion) {
		return nil
	}
	return classify(err)
}

// versions lists the newest up to a thousand of key's versions and delete markers.
func (s *Store) versions(ctx context.Context, key string) ([]string, error) {
	const limit = 1000
	var found []string
	err := s.retry(ctx, func() error {
		found = found[:0]
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for o := range s.core.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: key, Recursive: true, WithVersions: true, MaxKeys: limit}) {
			if o.Err != nil {
				return o.Err
			}
			if o.Key > key || len(found) == limit { // keys come in order: longer ones with this prefix follow
				break
			}
			found = append(found, o.VersionID)
		}
		return nil
	})
	return found, err
}

// List returns up to limit objects whose keys sort after the one given, in order.
func (s *Store) List(ctx context.Context, after string, limit int) ([]vault.StoredObject, error) {
	var found []vault.StoredObject
	err := s.retry(ctx, func() error {
		found = found[:0]
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		if limit <= 0 {
			return nil
		}
		for o := range s.core.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Recursive: true, StartAfter: after, MaxKeys: min(limit, 1000)}) {
			if o.Err != nil {
				return o.Err
			}
			found = append(found, vault.StoredObject{Key: o.Key, Size: o.Size, Modified: o.LastModified})
			if len(found) == limit {
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing objects: %w", classify(err))
	}
	return found, nil
}

// AbortStale ends unfinished multipart uploads begun before then, and says how many. Where a server lists unfinished uploads
// only by their exact key (MinIO), it finds none, and Delete does the work for the keys that the vault knows.
func (s *Store) AbortStale(ctx context.Context, before time.Time) (int, error) {
	n, err := s.abortUploads(ctx, "", func(u minio.ObjectMultipartInfo) bool { return u.Initiated.Before(before) })
	if err != nil {
		return n, fmt.Errorf("ending stale uploads: %w", err)
	}
	return n, nil
}

func (s *Store) abortUploads(ctx context.Context, prefix string, which func(minio.ObjectMultipartInfo) bool) (int, error) {
	var found []minio.ObjectMultipartInfo
	err := s.retry(ctx, func() error {
		found = found[:0]
		var failed error
		for u := range s.core.ListIncompleteUploads(ctx, s.bucket, prefix, true) { // read to its end, or its goroutine stays
			switch {
			case u.Err != nil:
				failed = u.Err
			case which(u):
				found = append(found, u)
			}
		}
		return failed
	})
	if err != nil {
		return 0, classify(err)
	}
	var errs []error
	ended := 0
	for _, u := range found {
		if err := s.abortUpload(ctx, u.Key, u.UploadID); err != nil {
			errs = append(errs, err)
			continue
		}
		ended++
	}
	return ended, errors.Join(errs...)
}
