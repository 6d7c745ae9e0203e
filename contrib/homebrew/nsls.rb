# contrib/dist fills in what is between @ and @.
class Nsls < Formula
  desc "List Linux namespaces, their processes and owners"
  homepage "@REPOSITORY@"
  url "@REPOSITORY@/releases/download/v@VERSION@/nsls-@VERSION@-source.tar.gz"
  sha256 "@SHA256@"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on "rust" => :build
  depends_on :linux

  def install
    system "cargo", "install", *std_cargo_args
    man8.install "docs/nsls.8", *Dir["docs/man/*.8"]
    bash_completion.install "docs/completions/nsls.bash" => "nsls"
    zsh_completion.install "docs/completions/_nsls"
    fish_completion.install "docs/completions/nsls.fish"
    doc.install Dir["docs/*.md"], "docs/nsls.schema.json"
    pkgshare.install "contrib/systemd", "contrib/prometheus", "contrib/grafana"
  end

  test do
    assert_match "nsls #{version}", shell_output("#{bin}/nsls --version")
    assert_match "\"version\": 1", shell_output("#{bin}/nsls --json")
  end
end
