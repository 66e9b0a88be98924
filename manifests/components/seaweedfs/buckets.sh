#!/bin/sh
# Run in the pod as the store starts, before the gateway is opened: nothing is written to an unversioned bucket.
# Arguments: the folder of the policies, the master, the filer. Run again, it changes nothing.
set -eu
policies=$1 master=$2 filer=$3

commands() {
    # What is deleted or overwritten there can be had back; nobody but `admin` may delete a version.
    echo "s3.bucket.versioning -name airbyte -enable"
    echo "s3.bucket.versioning -name lakehouse-backups -enable"
    for file in "$policies"/*.json; do
        name=$(basename "$file" .json)
        echo "s3.policy -put -name=$name -file=$file"
    done
}

# The buckets come a few seconds after the store.
tries=0
until commands | weed shell -master="$master" -filer="$filer"; do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ]; then
        exit 1
    fi
    sleep 1
done
