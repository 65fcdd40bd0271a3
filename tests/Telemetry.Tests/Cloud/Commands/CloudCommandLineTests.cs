using Telemetry.Cloud.Commands;
using Telemetry.Tests.Architecture;
using Telemetry.Runtime.Commands;

namespace Telemetry.Tests.Cloud.Commands;

public sealed class CloudCommandLineTests
{
    private readonly StringWriter _output = new() { NewLine = "\n" }, _errors = new() { NewLine = "\n" };

    [Theory]
    [InlineData("--help", "telemetry [command]")]
    [InlineData("-h", "telemetry [command]")]
    [InlineData("help", "telemetry [command]")]
    [InlineData("run --help", "telemetry run [options]")]
    [InlineData("dead-letters retry --help", "telemetry dead-letters retry ")]
    public async Task Help_goes_to_the_output_with_code_0(string words, string usage)
    {
        Assert.Equal(0, await RunAsync(words));
        Assert.Contains($"Usage:\n  {usage}", _output.ToString(), StringComparison.Ordinal);
        Assert.Empty(_errors.ToString());
    }

    [Fact]
    public async Task Help_names_every_command()
    {
        await RunAsync("--help");

        Assert.All(
            new[]
            {
                "run", "check", "rules", "windows", "password", "certificates", "dead-letters", "forks", "repartition",
            },
            name => Assert.Contains($"\n  {name} ", _output.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Version_is_one_line_of_the_output()
    {
        Assert.Equal(0, await RunAsync("--version"));
        Assert.Matches(@"^Telemetry\.Cloud \d+\.\d+\.\d+\n$", _output.ToString());
    }

    [Theory]
    [InlineData("strat", "'strat'", "telemetry --help")]
    [InlineData("run --confg x", "'--confg'", "telemetry run --help")]
    [InlineData("run --config", "--config", "telemetry run --help")]
    [InlineData("check more", "'more'", "telemetry check --help")]
    [InlineData("rules", "command", "telemetry rules --help")]
    [InlineData("rules check", "check", "telemetry rules check --help")]
    [InlineData("windows", "command", "telemetry windows --help")]
    [InlineData("password", "password", "telemetry password --help")]
    [InlineData("password a/b", "'a/b' cannot be a gateway's id", "telemetry password --help")]
    [InlineData("password gw-1 --config x", "'--config'", "telemetry password --help")]
    [InlineData("dead-letters", "command", "telemetry dead-letters --help")]
    [InlineData("forks resolve gw", "--reason", "telemetry forks resolve --help")]
    [InlineData("repartition", "--partitions", "telemetry repartition --help")]
    public async Task Wrong_command_line_is_named_on_the_error_output_with_code_2(
        string words, string named, string help)
    {
        Assert.Equal(2, await RunAsync(words));
        Assert.Empty(_output.ToString());
        Assert.Contains(named, _errors.ToString(), StringComparison.Ordinal);
        Assert.EndsWith($"{help} shows the usage\n", _errors.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--config /no/such")]
    [InlineData("run --config /no/such")]
    [InlineData("check --config /no/such")]
    [InlineData("dead-letters --config /no/such list")]
    [InlineData("dead-letters list --config /no/such")]
    [InlineData("dead-letters discard 5 --note @n --config /no/such")]
    [InlineData("windows list --config /no/such")]
    [InlineData("windows check --config /no/such")]
    [InlineData("windows check --config /no/such --connect file")]
    [InlineData("forks --config /no/such list")]
    [InlineData("forks resolve gw --reason cloned --config /no/such --note n")]
    [InlineData("repartition --partitions 3 --config /no/such")]
    [InlineData("repartition --config /no/such --partitions 3")]
    public async Task Configuration_is_read_wherever_its_option_stands(string words)
    {
        Assert.Equal(2, await RunAsync(words));
        Assert.StartsWith("/no/such: there is no such file", _errors.ToString(), StringComparison.Ordinal);
        Assert.Single(_errors.ToString().TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Password_is_read_from_the_input()
    {
        Assert.Equal(0, await RunAsync("password gw-1", "secret\n"));
        Assert.Matches(@"^gw-1:[^:]+:[^:]+\n$", _output.ToString());
    }

    [Fact]
    public async Task Rules_file_that_is_wrong_has_code_2()
    {
        Assert.Equal(2, await RunAsync("rules check /no/such"));
        Assert.StartsWith("/no/such: cannot be read", _errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Windows_file_that_is_wrong_has_code_2()
    {
        Assert.Equal(2, await RunAsync("windows check /no/such"));
        Assert.StartsWith("/no/such: cannot be read", _errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Windows_file_is_checked_without_a_configuration()
    {
        var file = Path.Combine(SourceTree.Root, "deploy/windows.json");

        Assert.Equal(0, await RunAsync($"windows check {file}"));
        Assert.Equal(
            $"{file}: ok, 2 entries\nentry 1: cpu.* 5 min from the beginning\n"
            + "entry 2: vibration.* 10 s with quantiles from 2026-12-01T00:00:00Z\n",
            _output.ToString());
    }

    private Task<int> RunAsync(string words, string input = "")
    {
        var streams = new CommandStreams(new StringReader(input), _output, _errors);
        var name = new ProgramName("Telemetry.Cloud", "telemetry");
        return new CloudCommandLine(name, streams, TimeProvider.System, new Random(1)).RunAsync(words.Split(' '));
    }
}
