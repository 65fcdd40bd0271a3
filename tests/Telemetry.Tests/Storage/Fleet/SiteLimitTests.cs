using Telemetry.Storage.Fleet;

namespace Telemetry.Tests.Storage.Fleet;

public sealed class SiteLimitTests
{
    [Theory]
    [InlineData("A", true)]
    [InlineData("A,B", true)]
    [InlineData("A,C", false)]
    [InlineData("C", false)]
    [InlineData("a", false)]
    [InlineData("", false)]
    public void Gateway_is_seen_if_all_its_sites_are_and_it_has_one(string sites, bool isSeen) => Assert.Equal(
        isSeen, SiteLimit.Of(["B", "A"]).Allows(sites.Split(',', StringSplitOptions.RemoveEmptyEntries)));

    [Fact]
    public void Without_a_limit_everything_is_seen()
    {
        Assert.True(SiteLimit.Of([]).Allows([]));
        Assert.True(SiteLimit.None.IsNone);
    }

    [Fact]
    public void Keys_are_equal_for_equal_limits_alone()
    {
        Assert.Equal(SiteLimit.Of(["A", "B"]).Key, SiteLimit.Of(["B", "A", "A"]).Key);
        Assert.NotEqual(SiteLimit.Of(["1:A"]).Key, SiteLimit.Of(["A", "1:"]).Key);
        Assert.NotEqual(SiteLimit.Of(["A1:B"]).Key, SiteLimit.Of(["A", "B"]).Key);
        Assert.NotEqual("", SiteLimit.Of(["A"]).Key);
    }
}
