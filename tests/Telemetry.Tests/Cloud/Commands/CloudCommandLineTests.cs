using Telemetry.Cloud.Commands;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Cloud.Commands;

public sealed class CloudCommandLineTests
{
    private readonly StringWriter _output = new() { NewLine = "\n" }, _errors = new() { NewLine = "\n" };

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("help")]
    [InlineData("run --help")]
    [InlineData("dead-letters retry --help")]
    public async Task Help_goes_to_the_output_with_code_0(string words)
    {
        Assert.Equal(0, await RunAsync(words));
        Assert.Contains("Usage:", _output.ToString(), StringComparison.Ordinal);
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
    [InlineData("strat", "'strat'", "Telemetry.Cloud --help")]
    [InlineData("run --confg x", "'--confg'", "Telemetry.Cloud run --help")]
    [InlineData("run --config", "--config", "Telemetry.Cloud run --help")]
    [InlineData("check more", "'more'", "Telemetry.Cloud check --help")]
    [InlineData("rules", "command", "Telemetry.Cloud rules --help")]
    [InlineData("rules check", "check", "Telemetry.Cloud rules check --help")]
    [InlineData("windows", "command", "Telemetry.Cloud windows --help")]
    [InlineData("password", "password", "Telemetry.Cloud password --help")]
    [InlineData("password a/b", "'a/b' cannot be a gateway's id", "Telemetry.Cloud password --help")]
    [InlineData("password gw-1 --config x", "'--config'", "Telemetry.Cloud password --help")]
    [InlineData("dead-letters", "command", "Telemetry.Cloud dead-letters --help")]
    [InlineData("forks resolve gw", "--reason", "Telemetry.Cloud forks resolve --help")]
    [InlineData("repartition", "--partitions", "Telemetry.Cloud repartition --help")]
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
            $"{file}: ok, 2 entries\nentry 1: host.* 5 min from the beginning\n"
            + "entry 2: vibration.* 10 s from 2026-12-01T00:00:00Z\n",
            _output.ToString());
    }

    private Task<int> RunAsync(string words, string input = "")
    {
        var streams = new CommandStreams(new StringReader(input), _output, _errors);
        return new CloudCommandLine(streams, TimeProvider.System, new Random(1)).RunAsync(words.Split(' '));
    }
}
