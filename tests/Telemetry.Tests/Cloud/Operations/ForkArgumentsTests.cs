using Telemetry.Cloud.Commands.DeadLetters;
using Telemetry.Cloud.Commands.Forks;

namespace Telemetry.Tests.Cloud.Operations;

public sealed class ForkArgumentsTests
{
    [Theory]
    [InlineData("", "list or resolve is needed")]
    [InlineData("list gw", "list takes no arguments")]
    [InlineData("resolve", "resolve needs a gateway")]
    [InlineData("resolve --reason cloned", "resolve needs a gateway")]
    [InlineData("resolve gw --note n", "resolve needs --reason")]
    [InlineData("resolve gw --reason cloned", "resolve needs --note: it stands in the audit")]
    [InlineData("resolve gw --reason", "--reason needs a value")]
    [InlineData("resolve gw --why x", "--why is no option of forks")]
    [InlineData("list", null)]
    [InlineData("resolve gw --reason image-restored --note n", null)]
    public void Wrong_words_are_named(string words, string? problem) =>
        Assert.Equal(problem, ForkArguments.Read(words.Split(' ', StringSplitOptions.RemoveEmptyEntries), out _));

    [Fact]
    public void Reason_that_is_none_names_those_that_are() =>
        Assert.Contains("card-replaced", ForkArguments.Read(["resolve", "gw", "--reason", "x"], out _)!);

    [Theory]
    [InlineData("discard 5", "discard needs --note: it stands in the audit")]
    [InlineData("discard --note n", "discard takes ids, --gateway or --reason")]
    [InlineData("discard 5 --gateway g --note n", "discard takes either ids or filters")]
    [InlineData("retry 5 --note n", "--note is no option of dead-letters")]
    [InlineData("discard 5 --note n", null)]
    public void Letters_are_discarded_with_a_note_only(string words, string? problem) => Assert.Equal(
        problem, DeadLetterArguments.Read(words.Split(' '), DateTimeOffset.UnixEpoch, out _));
}
