using Telemetry.Model.Installations;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Tests.Model.Installations;

public sealed class InstallationFactsTests
{
    [Fact]
    public void Description_says_them_in_words_and_is_read_back()
    {
        var facts = SampleInstallation.Of(16) with { Generation = 3 };

        Assert.Equal(
            "installation=0f8fad5bd9cb469fa16570867728950e partitions=16 generation=3", facts.Description);
        Assert.True(InstallationFacts.TryParse(facts.Description, out var read));
        Assert.Equal(facts, read);
    }

    [Fact]
    public void What_the_log_says_of_a_repartition_under_way_is_read_back()
    {
        var told = new StreamInstallation(SampleInstallation.Of(16), Next: 5);

        Assert.True(StreamInstallation.TryParse(told.Description, out var read));
        Assert.Equal(told, read);
        Assert.Null(new StreamInstallation(SampleInstallation.Of(16)).Closed);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("orders of the shop")]
    [InlineData("installation=0f8fad5bd9cb469fa16570867728950e partitions=0 generation=1")]
    [InlineData("installation=0f8fad5bd9cb469fa16570867728950e partitions=16 generation=1x")]
    [InlineData("installation=0f8fad5bd9cb469fa16570867728950e partitions=16 generation=99999999999")]
    [InlineData("installation=0f8fad5bd9cb469fa16570867728950e partitions=16 generation=1 next=x")]
    public void Description_that_is_not_ours_is_no_fact(string? description) =>
        Assert.False(StreamInstallation.TryParse(description, out _));
}
