using Telemetry.Cloud.Commands.Forks;

namespace Telemetry.Tests.Cloud.Commands.Forks;

public sealed class ForksVerbTests
{
    [Theory]
    [InlineData("", "Required command was not provided")]
    [InlineData("list gw", "'gw'")]
    [InlineData("resolve", "'resolve'")]
    [InlineData("resolve --reason cloned --note n", "'resolve'")]
    [InlineData("resolve gw --note n", "'--reason' is required")]
    [InlineData("resolve gw --reason cloned", "'--note' is required")]
    [InlineData("resolve gw --reason", "'--reason'")]
    [InlineData("resolve gw --why x", "'--why'")]
    [InlineData(
        "resolve gw --reason x --note n",
        "--reason: 'x' is not allowed; use card-replaced, image-restored, cloned, gateway-renamed or other")]
    public void What_is_wrong_is_named(string words, string problem) =>
        Assert.Contains(problem, VerbRun.Errors<ForkArguments>(ForksVerb.Create, words), StringComparison.Ordinal);

    [Fact]
    public void List_has_no_gateway() =>
        Assert.Null(VerbRun.Arguments<ForkArguments>(ForksVerb.Create, "list").Gateway);

    [Fact]
    public void Gateway_reason_and_note_are_read() => Assert.Equal(
        new ForkArguments { Gateway = "gw", Reason = "image-restored", Note = "n" },
        VerbRun.Arguments<ForkArguments>(ForksVerb.Create, "resolve gw --reason image-restored --note n"));
}
