"""The deployment files: what can be run here is run, the rest is checked against the schemas of those who read it."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("LONGSHORE_BINARY", str(ROOT / "build/release/bin/longshore"))


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)


class DeployTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="longshore-test-deploy-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def test_kubernetes_manifests_fit_their_schemas(self):
        files = sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
        self.assertGreater(len(files), 6)
        checked = run("node", ROOT / "tests/deploy/kubernetes.mjs", ROOT / "build/readers", *files)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_compose_file_is_valid(self):
        environment = self.directory / "env"
        environment.write_text(re.sub(r"=$", "=x", (ROOT / "deploy/docker/example.env").read_text(), flags=re.MULTILINE))
        checked = run("docker-compose", "-f", ROOT / "deploy/docker/compose.yaml", "--env-file", environment, "config", "-q")
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_units_are_sound(self):
        for unit in sorted((ROOT / "deploy/systemd").glob("*.service")):
            with self.subTest(unit.name):
                # The binary that is here, and no documentation that is not installed.
                text = unit.read_text().replace("/usr/bin/longshore", str(BINARY)).replace("User=longshore", "User=root").replace("Group=longshore", "Group=root")
                copy = self.directory / unit.name.replace("@", "@1" if "@" in unit.name else "")
                copy.write_text(text)
                checked = run("systemd-analyze", "verify", "--man=no", copy)
                told = [line for line in checked.stderr.splitlines() if unit.name.split("@")[0].removesuffix(".service") in line]
                self.assertEqual(told, [], checked.stderr)

    def test_configurations_are_accepted(self):
        """Each starts to serve or says that something outside is missing, never that the configuration is wrong."""
        files = [ROOT / "deploy/debian/longshore.yaml", ROOT / "deploy/docker/longshore.yaml"]
        environment = {**os.environ, "LONGSHORE_DATA_DIR": str(self.directory / "data"), "LONGSHORE_SERVER_LISTEN": "256.0.0.1:0",
                       "LONGSHORE_CATALOG_PATH": str(ROOT / "deploy/debian/catalog.yaml")}
        for file in files:
            with self.subTest(str(file)):
                done = run(BINARY, "serve", "--config", file, env=environment, timeout=60)
                self.assertIn("256.0.0.1", done.stderr)  # everything before listening went well
                self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
