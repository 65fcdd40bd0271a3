using Telemetry.Agent.Commands;
using Telemetry.Agent.Configuration;
using Telemetry.Agent.Hosting;
using Telemetry.Runtime.Commands;

namespace Telemetry.Tests.Agent.Commands;

public sealed class EdgeCommandLineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("telemetry-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("--help", "Usage:\n  telemetry-agent [command]")]
    [InlineData("-h", "Usage:\n  telemetry-agent [command]")]
    [InlineData("help", "Usage:\n  telemetry-agent [command]")]
    [InlineData("run --help", "Usage:\n  telemetry-agent run [options]")]
    [InlineData("run --help", "--config")]
    [InlineData("--version", "Telemetry.Agent ")]
    [InlineData("version", "Telemetry.Agent ")]
    public async Task Help_and_version_go_to_the_output_with_code_0(string words, string said)
    {
        var (code, output, errors) = await RunAsync(words);

        Assert.Equal((0, ""), (code, errors));
        Assert.Contains(said, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "command", "telemetry-agent --help")]
    [InlineData("serve", "'serve'", "telemetry-agent --help")]
    [InlineData("run", "'--config' is required", "telemetry-agent run --help")]
    [InlineData("run --config", "'--config'", "telemetry-agent run --help")]
    [InlineData("run --config a b", "'b'", "telemetry-agent run --help")]
    [InlineData("check --confg a", "'--confg'", "telemetry-agent check --help")]
    public async Task Wrong_command_line_is_named_on_the_error_output_with_code_2(
        string words, string named, string help)
    {
        var (code, output, errors) = await RunAsync(words);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains(named, errors, StringComparison.Ordinal);
        Assert.EndsWith($"{help} shows the usage\n", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("check")]
    public async Task Wrong_configuration_is_named_by_its_keys_with_code_2(string verb)
    {
        var file = Path.Combine(_folder, "agent.json");
        await File.WriteAllTextAsync(file, """{ "gateway": "g", "uplink": { "prot": 1 } }""");

        var (code, output, errors) = await RunAsync($"{verb} --config {file}");

        Assert.Equal((2, ""), (code, output));
        Assert.Equal(
            "uplink.host: is missing\noutbox.file: is missing\nuplink.prot: is not a key of this program\n", errors);
    }

    [Fact]
    public async Task Configuration_that_is_good_is_described_with_code_0()
    {
        var file = Path.Combine(_folder, "agent.json");
        var outbox = Path.Combine(_folder, "outbox.db");
        await File.WriteAllTextAsync(
            file, $$"""{ "gateway": "g", "outbox": { "file": "{{outbox}}" }, "uplink": { "host": "h" } }""");

        var (code, output, errors) = await RunAsync($"check --config {file}");

        Assert.Equal((0, ""), (code, errors));
        Assert.Equal($"{file}: gateway g: good\n", output);
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string words)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var errors = new StringWriter { NewLine = "\n" };
        var program = new EdgeProgram<AgentOptions>(
            new ProgramName("Telemetry.Agent", "telemetry-agent"),
            AgentConfiguration.Read,
            options => new EdgeProcess([options], options.StatusPort, options.StopTimeout, TimeProvider.System),
            options => $"gateway {options.Gateway}");
        var code = await EdgeCommandLine.RunAsync(
            program, words.Split(' ', StringSplitOptions.RemoveEmptyEntries), output, errors);
        return (code, output.ToString(), errors.ToString());
    }
}
