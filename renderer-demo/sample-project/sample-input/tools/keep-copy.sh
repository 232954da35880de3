#!/bin/sh
# Keeps a dated copy of the sightings beside the original.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
# TODO: drop copies that are older than a year
cp "$here/collect/sightings.csv" "$here/collect/sightings-$(date +%Y-%m-%d).csv"
