using System.Net;
using Telemetry.Cloud.Commands.Certificates;

namespace Telemetry.Tests.Cloud.Commands.Certificates;

public sealed class CertificatesVerbTests
{
    [Theory]
    [InlineData("", "Required command was not provided")]
    [InlineData("sever example.org", "'sever'")]
    [InlineData("ca example.org", "'example.org'")]
    [InlineData("server", "'server'")]
    [InlineData("server 10.0.0.300", "'10.0.0.300' is not a DNS name or an IP address")]
    [InlineData("server 10.1", "'10.1' is not a DNS name or an IP address")]
    [InlineData("server a..b", "'a..b' is not a DNS name or an IP address")]
    [InlineData("server a-.example", "'a-.example' is not a DNS name or an IP address")]
    [InlineData("server mqtt://example.org", "'mqtt://example.org' is not a DNS name or an IP address")]
    [InlineData("gateway", "'gateway'")]
    [InlineData("gateway gw-1 gw-2", "'gw-2'")]
    [InlineData("gateway ../ca", "'../ca' cannot be a gateway's id: 1 to 64 characters of A-Z a-z 0-9 _ -")]
    [InlineData("renew", "Required command was not provided")]
    [InlineData("renew ca", "an authority cannot be renewed: make another one in a folder of its own")]
    [InlineData("renew server other.example.org", "renew server takes no names: it keeps those of the certificate")]
    [InlineData("server example.org --days 0", "--days: '0' is not allowed; use 1 to 36500")]
    [InlineData("server example.org --days 1e3", "--days: '1e3' is not allowed; use 1 to 36500")]
    [InlineData("server example.org --days", "'--days'")]
    [InlineData("ca --force yes", "'--force'")]
    public void What_is_wrong_is_named(string words, string problem) => Assert.Contains(
        problem, VerbRun.Errors<CertificateArguments>(CertificatesVerb.Create, words), StringComparison.Ordinal);

    [Fact]
    public void Names_and_addresses_are_told_apart_wherever_the_options_stand()
    {
        var arguments = Read("--folder /srv/pki server cloud.example.org 10.0.0.5 --days 90 fd00::5");

        Assert.Equal(["cloud.example.org"], arguments.Names);
        Assert.Equal([IPAddress.Parse("10.0.0.5"), IPAddress.Parse("fd00::5")], arguments.Addresses);
        Assert.Equal(("/srv/pki", 90, false), (arguments.Folder, arguments.Days, arguments.Renew));
    }

    [Theory]
    [InlineData("ca", 3650, false)]
    [InlineData("server example.org", 730, false)]
    [InlineData("gateway gw-1", 730, false)]
    [InlineData("renew server", 730, true)]
    [InlineData("renew gateway gw-1", 730, true)]
    public void Each_kind_has_its_own_time_unless_told_otherwise(string words, int days, bool renew)
    {
        var arguments = Read(words);

        Assert.Equal(("certificates", days, renew), (arguments.Folder, arguments.Days, arguments.Renew));
    }

    private static CertificateArguments Read(string words) =>
        VerbRun.Arguments<CertificateArguments>(CertificatesVerb.Create, words);
}
