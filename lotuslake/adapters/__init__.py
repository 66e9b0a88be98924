"""The only files that import boto3, duckdb, psycopg, pyarrow or dbt, each named after what it speaks to."""
