# expect: SecretsUsedInArgOrEnv
FROM docker.io/library/alpine:3.22
ENV API_TOKEN=abc
CMD ["cat", "/a"]
