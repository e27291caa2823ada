package objectserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/versity/versitygw/backend"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3err"
	"github.com/versity/versitygw/s3response"
)

// durable is a backend whose answers are true after a power cut: whatever changes what is stored waits for the disk before
// it is answered. It also refuses what the backend should and does not: deleting under a legal hold whose retention
// has ended.
type durable struct {
	*posix.Posix
	disk *groupSync
}

var _ backend.Backend = durable{}

func (d durable) PutObject(ctx context.Context, in s3response.PutObjectInput) (s3response.PutObjectOutput, error) {
	out, err := d.Posix.PutObject(ctx, in)
	return out, d.after(err)
}

// UploadPart does not wait: nothing refers to a part before CompleteMultipartUpload has waited for all of them.
func (d durable) CompleteMultipartUpload(ctx context.Context, in *s3.CompleteMultipartUploadInput) (s3response.CompleteMultipartUploadResult, string, error) {
	out, version, err := d.Posix.CompleteMultipartUpload(ctx, in)
	return out, version, d.after(err)
}

func (d durable) CopyObject(ctx context.Context, in s3response.CopyObjectInput) (s3response.CopyObjectOutput, error) {
	out, err := d.Posix.CopyObject(ctx, in)
	return out, d.after(err)
}

func (d durable) DeleteObject(ctx context.Context, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	if err := d.held(ctx, in.Bucket, in.Key, in.VersionId); err != nil {
		return nil, err
	}
	out, err := d.Posix.DeleteObject(ctx, in)
	return out, d.after(err)
}

func (d durable) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput) (s3response.DeleteResult, error) {
	for _, o := range in.Delete.Objects {
		if err := d.held(ctx, in.Bucket, o.Key, o.VersionId); err != nil {
			return s3response.DeleteResult{}, err
		}
	}
	out, err := d.Posix.DeleteObjects(ctx, in)
	return out, d.after(err)
}

func (d durable) CreateBucket(ctx context.Context, in *s3.CreateBucketInput, acl []byte) error {
	return d.after(d.Posix.CreateBucket(ctx, in, acl))
}

func (d durable) DeleteBucket(ctx context.Context, bucket string) error {
	return d.after(d.Posix.DeleteBucket(ctx, bucket))
}

func (d durable) PutBucketVersioning(ctx context.Context, bucket string, status types.BucketVersioningStatus) error {
	return d.after(d.Posix.PutBucketVersioning(ctx, bucket, status))
}

func (d durable) PutObjectLockConfiguration(ctx context.Context, bucket string, config []byte) error {
	return d.after(d.Posix.PutObjectLockConfiguration(ctx, bucket, config))
}

func (d durable) PutObjectRetention(ctx context.Context, bucket, object, version string, retention []byte) error {
	return d.after(d.Posix.PutObjectRetention(ctx, bucket, object, version, retention))
}

func (d durable) PutObjectLegalHold(ctx context.Context, bucket, object, version string, on bool) error {
	return d.after(d.Posix.PutObjectLegalHold(ctx, bucket, object, version, on))
}

// after waits for the disk if the backend has done its part.
func (d durable) after(err error) error {
	if err != nil {
		return err
	}
	if err := d.disk.Sync(); err != nil {
		return fmt.Errorf("writing to disk: %w", err)
	}
	return nil
}

// held refuses to delete what a legal hold protects. Without a version, a versioned bucket gets a delete marker, which
// takes nothing away; any other loses the object itself, so then the current one is looked at.
func (d durable) held(ctx context.Context, bucket, key, version *string) error {
	v := deref(version)
	if v == "" {
		status, err := d.GetBucketVersioning(ctx, deref(bucket))
		if err == nil && status.Status != nil && *status.Status == types.BucketVersioningStatusEnabled {
			return nil
		}
	}
	on, err := d.GetObjectLegalHold(ctx, deref(bucket), deref(key), v)
	switch {
	case err == nil && on != nil && *on:
		return s3err.GetAPIError(s3err.ErrObjectLocked)
	case err == nil || noHold(err):
		return nil
	default:
		// Not knowing is no permission.
		return err
	}
}

// noHold reports whether err says that there is nothing to hold: no such object, a bucket without locks, a delete marker.
func noHold(err error) bool {
	var answer s3err.S3Error
	return errors.As(err, &answer) && answer.StatusCode() < http.StatusInternalServerError
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
