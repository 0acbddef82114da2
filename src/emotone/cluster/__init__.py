"""Many machines through Ray: recognition of folders and buckets, comparisons. Without Ray, none of it is imported."""
