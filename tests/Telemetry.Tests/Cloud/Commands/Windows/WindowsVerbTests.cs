using Telemetry.Cloud.Commands.Windows;

namespace Telemetry.Tests.Cloud.Commands.Windows;

public sealed class WindowsVerbTests
{
    [Theory]
    [InlineData("", "Required command was not provided")]
    [InlineData("list x", "'x'")]
    [InlineData("check a b", "'b'")]
    [InlineData("check --conect", "'--conect'")]
    public void What_is_wrong_is_named(string words, string problem) => Assert.Contains(
        problem, VerbRun.Errors<WindowArguments>(WindowsVerb.Create, words), StringComparison.Ordinal);

    [Theory]
    [InlineData("list", true, null, false, true)]
    [InlineData("check f", false, "f", false, false)]
    [InlineData("check --connect f", false, "f", true, true)]
    [InlineData("check", false, null, true, true)]
    public void Words_are_read(string words, bool list, string? file, bool connect, bool needsConfiguration)
    {
        var arguments = VerbRun.Arguments<WindowArguments>(WindowsVerb.Create, words);

        Assert.Equal(new WindowArguments { List = list, File = file, Connect = connect }, arguments);
        Assert.Equal(needsConfiguration, arguments.NeedsConfiguration);
    }
}
