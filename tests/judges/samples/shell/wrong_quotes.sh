#!/bin/sh
# expect: SC2086
cat $1
