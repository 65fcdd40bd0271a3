using System.Net;
using Telemetry.Cloud.Commands.Certificates;

namespace Telemetry.Tests.Cloud.Commands.Certificates;

public sealed class CertificateArgumentsTests
{
    [Theory]
    [InlineData("", "ca, server, gateway or renew is needed")]
    [InlineData("sever example.org", "ca, server, gateway or renew is needed")]
    [InlineData("ca example.org", "ca takes no names")]
    [InlineData("server", "server needs the names or addresses by which agents reach it")]
    [InlineData("server 10.0.0.300", "'10.0.0.300' is not a DNS name or an IP address")]
    [InlineData("server 10.1", "'10.1' is not a DNS name or an IP address")]
    [InlineData("server a..b", "'a..b' is not a DNS name or an IP address")]
    [InlineData("server a-.example", "'a-.example' is not a DNS name or an IP address")]
    [InlineData("server mqtt://example.org", "'mqtt://example.org' is not a DNS name or an IP address")]
    [InlineData("gateway", "gateway needs the id of one gateway")]
    [InlineData("gateway gw-1 gw-2", "gateway needs the id of one gateway")]
    [InlineData("gateway ../ca", "'../ca' cannot be a gateway's id: 1 to 64 characters of A-Z a-z 0-9 _ -")]
    [InlineData("renew", "renew needs server or gateway")]
    [InlineData("server example.org --days 0", "--days: '0' is not a number of 1 to 36500")]
    [InlineData("server example.org --days 1e3", "--days: '1e3' is not a number of 1 to 36500")]
    [InlineData("server example.org --days", "--days needs a value")]
    [InlineData("ca --force yes", "--force is not an option of certificates")]
    public void Wrong_words_are_named(string words, string problem) =>
        Assert.Equal(problem, CertificateArguments.Read(Split(words), out _));

    [Theory]
    [InlineData("renew ca")]
    [InlineData("renew server other.example.org")]
    public void What_cannot_be_renewed_says_what_to_do_instead(string words) =>
        Assert.Contains(": ", CertificateArguments.Read(Split(words), out _));

    [Fact]
    public void Names_and_addresses_are_told_apart_wherever_the_options_stand()
    {
        var wrong = CertificateArguments.Read(
            ["--folder", "/srv/pki", "server", "cloud.example.org", "10.0.0.5", "--days", "90", "fd00::5"],
            out var arguments);

        Assert.Null(wrong);
        Assert.Equal(["cloud.example.org"], arguments.Names);
        Assert.Equal([IPAddress.Parse("10.0.0.5"), IPAddress.Parse("fd00::5")], arguments.Addresses);
        Assert.Equal(("/srv/pki", 90, false), (arguments.Folder, arguments.Days, arguments.Renew));
    }

    [Theory]
    [InlineData("ca", 3650)]
    [InlineData("server example.org", 730)]
    [InlineData("gateway gw-1", 730)]
    [InlineData("renew server", 730)]
    [InlineData("renew gateway gw-1", 730)]
    public void Each_kind_has_its_own_time_unless_told_otherwise(string words, int days)
    {
        Assert.Null(CertificateArguments.Read(Split(words), out var arguments));

        Assert.Equal(("certificates", days), (arguments.Folder, arguments.Days));
    }

    private static string[] Split(string words) => words.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
