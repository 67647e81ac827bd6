# expect: submit-jobs
namespace "shop" {
  capabilities = ["submit-jobs"]
}
