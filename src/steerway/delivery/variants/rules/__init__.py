"""The rules of flagd's format: values, operators, buckets, versions, targeting, flag sets."""
