# SPDX-License-Identifier: BSD-3-Clause
"""A function built from what is installed and nothing else, in C and C++, with each way to build it."""

import os
import shutil
import subprocess

import pytest

from conftest import Chain
from lab import BUILD, wait_until


def sh(*args, **env):
    done = subprocess.run(args, capture_output=True, text=True, env={**os.environ, **env}, check=False)
    assert done.returncode == 0, f"{args}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """The build, installed in a folder that it was not configured for."""
    prefix = tmp_path_factory.mktemp("prefix")
    sh("cmake", "--install", str(BUILD), "--prefix", str(prefix))
    return prefix


def pkg_config(prefix, *args):
    folder = next(prefix.glob("lib/**/sluice-nf.pc")).parent
    return sh("pkg-config", *args, "sluice-nf", PKG_CONFIG_PATH=str(folder)).split()


def by_pkg_config(prefix, folder, language):
    compiler, source = {"c": (["gcc", "-std=c17"], "noop.c"),
                        "c++": (["g++", "-std=c++17"], "noop.cpp")}[language]
    made = folder / "noop.so"
    sh(*compiler, "-Wall", "-Wextra", "-pedantic", "-Werror", "-shared",
       *pkg_config(prefix, "--cflags"), "-o", str(made), str(folder / source))
    return made


def by_cmake(prefix, folder, language):
    sh("cmake", "-S", str(folder), "-B", str(folder / "build"), f"-DCMAKE_PREFIX_PATH={prefix}")
    sh("cmake", "--build", str(folder / "build"))
    return folder / "build" / {"c": "noop.so", "c++": "noop++.so"}[language]


def symbols(plugin):
    lines = sh("nm", "-D", "--defined-only", str(plugin)).splitlines()
    return {line.split()[-1] for line in lines if line.split()[-2] != "W"}


@pytest.fixture(params=[(by_pkg_config, "c"), (by_pkg_config, "c++"), (by_cmake, "c"), (by_cmake, "c++")],
                ids=lambda how: f"{how[0].__name__}-{how[1]}")
def plugin(request, prefix, tmp_path):
    build, language = request.param
    folder = tmp_path / "mine"
    shutil.copytree(prefix / "share/sluice/noop", folder)
    os.chmod(tmp_path, 0o755)
    return build(prefix, folder, language)


def mine(conf, plugin, placement="process"):
    function = f'{{ name = "mine"; plugin = "{plugin}"; placement = "{placement}"; config = {{ field = "x-seen"; }}; }}'
    return conf.replace("functions = (", f"functions = ( {function},").replace(
        'path = [ "guard"', 'path = [ "mine", "guard"')


def test_built_out_of_tree(lab, prefix, plugin):
    assert symbols(plugin) == {"sluice_function_entry"}
    chain = Chain(lab)
    conf = lab.file("mine.conf", mine(chain.conf(), plugin).replace("@RUN_DIR@", str(lab.dir / "run")))
    checked = lab.mid.run(prefix / "bin/sluiced", "-t", "-c", conf, check=False)
    assert checked.returncode == 0, checked.stderr
    for placement in ("process", "inline"):
        done = chain.sluiced.reload(mine(chain.conf(), plugin, placement))
        assert done.returncode == 0, done.stderr
        assert chain.status("/who") == 200
        wait_until(lambda: chain.sluiced.stat("waited_us") > 0, 5, "its counters are shown")
    chain.sluiced.wait_no_buffers()
    chain.sluiced.stop()


def test_installed_names_are_where_they_are_said_to_be(prefix):
    assert pkg_config(prefix, "--modversion") == ["0.1.0"]
    flags = pkg_config(prefix, "--cflags")
    include = next(flag[2:] for flag in flags if flag.startswith("-I"))
    assert os.path.samefile(include, prefix / "include")
    plugins = pkg_config(prefix, "--variable=plugindir")[0]
    assert os.path.samefile(plugins, prefix / "lib/sluice")
