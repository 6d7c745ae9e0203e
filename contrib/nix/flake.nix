# nix run 'git+file:.?dir=contrib/nix'
{
  description = "List Linux namespaces, their processes and owners";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEach = nixpkgs.lib.genAttrs systems;
    in
    {
      packages = forEach (
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system};
          manifest = nixpkgs.lib.importTOML ../../Cargo.toml;
        in
        {
          default = pkgs.rustPlatform.buildRustPackage {
            pname = "nsls";
            inherit (manifest.package) version;
            src = ../..;
            cargoLock.lockFile = ../../Cargo.lock;
            cargoBuildFlags = [
              "--package"
              "nsls"
            ];
            # They need /proc of a whole system.
            doCheck = false;
            nativeBuildInputs = [ pkgs.installShellFiles ];
            postInstall = ''
              installManPage docs/nsls.8 docs/man/*.8
              installShellCompletion --bash --name nsls docs/completions/nsls.bash
              installShellCompletion --zsh docs/completions/_nsls
              installShellCompletion --fish docs/completions/nsls.fish
              mkdir -p $out/share/doc/nsls/examples
              cp -R contrib/systemd contrib/prometheus contrib/grafana $out/share/doc/nsls/examples
            '';
            meta = {
              inherit (manifest.package) description;
              license = with nixpkgs.lib.licenses; [
                mit
                asl20
              ];
              mainProgram = "nsls";
              platforms = systems;
            };
          };
        }
      );
    };
}
