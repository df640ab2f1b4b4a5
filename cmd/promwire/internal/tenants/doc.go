// Package tenants keeps a store for each tenant, below one directory: what one writes, no other one can read.
package tenants
