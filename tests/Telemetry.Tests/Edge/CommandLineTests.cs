using Telemetry.Agent.Configuration;

namespace Telemetry.Tests.Edge;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--help", "usage: Telemetry.Agent run --config FILE")]
    [InlineData("-h", "usage: Telemetry.Agent run --config FILE")]
    [InlineData("--version", "Telemetry.Agent ")]
    public void Help_and_version_go_to_the_output_with_code_0(string argument, string begins)
    {
        var (code, output, errors) = Answer(argument);
        Assert.Equal(0, code);
        Assert.StartsWith(begins, output, StringComparison.Ordinal);
        Assert.Empty(errors);
    }

    [Theory]
    [InlineData("")]
    [InlineData("serve")]
    [InlineData("run")]
    [InlineData("run --config")]
    [InlineData("run --config a b")]
    public void What_is_no_command_goes_to_the_errors_with_code_2(string line)
    {
        var arguments = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Null(CommandLine.Parse(arguments));
        var (code, output, errors) = Answer(arguments);
        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Contains("usage:", errors, StringComparison.Ordinal);
        Assert.Contains(line, errors, StringComparison.Ordinal);
    }

    private static (int Code, string Output, string Errors) Answer(params string[] arguments)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        return (CommandLine.Answer("Telemetry.Agent", arguments, output, errors), output.ToString(), errors.ToString());
    }
}
