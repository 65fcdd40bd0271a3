using Telemetry.Cloud.Commands.Repartition;

namespace Telemetry.Tests.Cloud.Commands.Repartition;

public sealed class RepartitionVerbTests
{
    [Theory]
    [InlineData("--partitions 1", 1)]
    [InlineData("--partitions 1024", 1024)]
    public void Number_of_partitions_is_read(string words, int partitions) =>
        Assert.Equal(partitions, VerbRun.Arguments<int>(RepartitionVerb.Create, words));

    [Theory]
    [InlineData("", "'--partitions' is required")]
    [InlineData("--partitions", "'--partitions'")]
    [InlineData("--partitions 0", "--partitions: '0' is not allowed; use 1 to 1024")]
    [InlineData("--partitions 1025", "--partitions: '1025' is not allowed; use 1 to 1024")]
    [InlineData("--partitions x", "--partitions: 'x' is not allowed; use 1 to 1024")]
    public void Other_numbers_are_named(string words, string problem) =>
        Assert.Contains(problem, VerbRun.Errors<int>(RepartitionVerb.Create, words), StringComparison.Ordinal);
}
