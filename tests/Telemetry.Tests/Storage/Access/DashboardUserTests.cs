using Telemetry.Storage.Access;

namespace Telemetry.Tests.Storage.Access;

public sealed class DashboardUserTests
{
    [Theory]
    [InlineData("anna.b-c_d@site", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("<b>", false)]
    [InlineData("(this machine)", false)]
    public void Names_are_of_harmless_characters(string name, bool isName) =>
        Assert.Equal(isName, DashboardUser.IsName(name));
}
