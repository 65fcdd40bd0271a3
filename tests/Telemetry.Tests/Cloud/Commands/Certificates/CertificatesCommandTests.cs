using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Telemetry.Cloud.Commands.Certificates;
using Telemetry.Edge.Uplink.Mqtt;
using Telemetry.TestKit.Servers;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Cloud.Commands.Certificates;

/// <summary>The command in a folder of its own; what agents make of its files.</summary>
public sealed class CertificatesCommandTests : IAsyncDisposable
{
    private const string Server = "1.3.6.1.5.5.7.3.1", Client = "1.3.6.1.5.5.7.3.2";

    private readonly TemporaryFolder _folder = new();
    private readonly SimulatedClock _clock = new(TimeProvider.System.GetUtcNow());

    private string Pki => _folder.At("pki");

    [Theory]
    [InlineData("cloud.example.org")]
    [InlineData("10.0.0.5")]
    [InlineData("fd00::5")]
    public void Agent_that_trusts_the_authority_accepts_the_ingress_under_each_of_its_names(string host)
    {
        Run("ca");
        Run("server", "cloud.example.org", "10.0.0.5", "fd00::5");

        Assert.Equal(X509ChainStatusFlags.NoError, AsAgent(Pki, host));
    }

    [Theory]
    [InlineData("other.example.org")]
    [InlineData("10.0.0.6")]
    public void Host_that_the_certificate_does_not_name_is_refused(string host)
    {
        Run("ca");
        Run("server", "cloud.example.org", "10.0.0.5");

        Assert.False(Read("server.pem").MatchesHostname(host, allowWildcards: true, allowCommonName: true));
    }

    [Fact]
    public void Agent_that_trusts_another_authority_refuses_the_ingress()
    {
        Run("ca");
        Run("server", "cloud.example.org");
        Run("ca", "--folder", _folder.At("other"));

        Assert.NotEqual(X509ChainStatusFlags.NoError, AsAgent(_folder.At("other"), "cloud.example.org"));
    }

    [Fact]
    public void Server_is_no_gateway_and_a_gateway_no_server()
    {
        Run("ca");
        Run("server", "gw-1");
        Run("gateway", "gw-1");

        Assert.Equal("CN=gw-1", Read("gateways/gw-1.pem").Subject);
        Assert.Equal((true, false), (IsFor("server.pem", Server), IsFor("server.pem", Client)));
        Assert.Equal((false, true), (IsFor("gateways/gw-1.pem", Server), IsFor("gateways/gw-1.pem", Client)));
        Assert.DoesNotContain("gw-1", Read("server.pem").Subject, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ca", "ca")]
    [InlineData("server cloud.example.org", "server")]
    [InlineData("gateway gw-1", "gateways/gw-1")]
    public void File_that_exists_is_not_overwritten(string words, string name)
    {
        Run("ca");
        if (name != "ca")
        {
            Run(words.Split(' '));
        }

        var (certificate, key) = (Path.Combine(Pki, name + ".pem"), Path.Combine(Pki, name + ".key"));
        var before = (File.ReadAllText(certificate), File.ReadAllText(key));

        Assert.Equal($"{certificate}: exists, and is not overwritten\n", Refused(words.Split(' ')));
        Assert.Equal(before, (File.ReadAllText(certificate), File.ReadAllText(key)));

        // The key alone is worth as much.
        File.Delete(certificate);
        Assert.Equal($"{key}: exists, and is not overwritten\n", Refused(words.Split(' ')));
        Assert.Equal(before.Item2, File.ReadAllText(key));
        Assert.False(File.Exists(certificate));
    }

    [Fact]
    public void Keys_are_for_their_owner_alone()
    {
        Run("ca");
        Run("server", "cloud.example.org");
        Run("gateway", "gw-1");

        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.All(
            new[] { "ca.key", "server.key", "gateways/gw-1.key" },
            key => Assert.Equal(owner, new FileInfo(Path.Combine(Pki, key)).UnixFileMode));
        Assert.Equal(owner | UnixFileMode.UserExecute, new DirectoryInfo(Pki).UnixFileMode);
    }

    [Theory]
    [InlineData("server", "server")]
    [InlineData("gateway gw-1", "gateways/gw-1")]
    public void Renewed_certificate_has_the_same_key_and_names_and_a_later_end(string what, string name)
    {
        Run("ca");
        Run("server", "cloud.example.org", "10.0.0.5");
        Run("gateway", "gw-1");
        using var before = Read(name + ".pem");
        // The last one has ended.
        _clock.Advance(TimeSpan.FromDays(800));

        Run(["renew", .. what.Split(' ')]);

        using var after = Read(name + ".pem");
        Assert.Equal(before.GetPublicKey(), after.GetPublicKey());
        Assert.Equal(before.Subject, after.Subject);
        Assert.Equal(before.Extensions.Select(e => e.RawData), after.Extensions.Select(e => e.RawData));
        Assert.NotEqual(before.SerialNumber, after.SerialNumber);
        Assert.Equal(800, (after.NotAfter - before.NotAfter).TotalDays, 0.001);
        Assert.Equal(
            before.RawData, Read($"{name}.{before.SerialNumber[..8]}.pem").RawData);
        Assert.Empty(Directory.GetFiles(Pki, $"*{after.SerialNumber[..8]}*", SearchOption.AllDirectories));
        // It belongs to the key that is there.
        using var pair = X509Certificate2.CreateFromPemFile(
            Path.Combine(Pki, name + ".pem"), Path.Combine(Pki, name + ".key"));
        Assert.True(pair.HasPrivateKey);
    }

    [Fact]
    public void Another_authority_does_not_renew_a_certificate()
    {
        Run("ca");
        Run("server", "cloud.example.org");
        Run("ca", "--folder", _folder.At("other"));
        File.Copy(Path.Combine(Pki, "server.pem"), _folder.At("other/server.pem"));
        File.Copy(Path.Combine(Pki, "server.key"), _folder.At("other/server.key"));

        Assert.Equal(
            $"{_folder.At("other/server.pem")}: it was signed by another authority, so this one does not renew it\n",
            Refused("renew", "server", "--folder", _folder.At("other")));
        Assert.Equal(
            File.ReadAllText(Path.Combine(Pki, "server.pem")), File.ReadAllText(_folder.At("other/server.pem")));
    }

    [Fact]
    public void Nothing_outlives_its_authority()
    {
        Run("ca", "--days", "30");
        Run("server", "cloud.example.org", "--days", "60");
        Assert.Equal(Read("ca.pem").NotAfter, Read("server.pem").NotAfter);

        _clock.Advance(TimeSpan.FromDays(31));

        Assert.StartsWith("the authority is valid from ", Refused("gateway", "gw-1"), StringComparison.Ordinal);
        Assert.False(Path.Exists(Path.Combine(Pki, "gateways")));
    }

    [Fact]
    public void Certificate_of_a_gateway_signs_no_other()
    {
        Run("ca");
        Run("gateway", "gw-1");
        using var gateway = X509Certificate2.CreateFromPemFile(
            Path.Combine(Pki, "gateways/gw-1.pem"), Path.Combine(Pki, "gateways/gw-1.key"));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var forged = new CertificateRequest("CN=gw-2", key, HashAlgorithmName.SHA256).Create(
            gateway.SubjectName, X509SignatureGenerator.CreateForECDsa(gateway.GetECDsaPrivateKey()!),
            gateway.NotBefore, gateway.NotAfter, [1]);

        using var chain = new X509Chain { ChainPolicy = Trusting(Pki) };
        chain.ChainPolicy.ExtraStore.Add(gateway);
        Assert.False(chain.Build(forged));
    }

    [Fact]
    public void Authority_that_is_missing_is_named() => Assert.Equal(
        $"{Pki}/ca.pem: is missing; make the authority first: certificates ca --folder {Pki}\n",
        Refused("server", "cloud.example.org"));

    public ValueTask DisposeAsync() => _folder.DisposeAsync();

    private void Run(params string[] words)
    {
        var errors = new StringWriter();
        var code = new CertificatesCommand(_clock, TextWriter.Null, errors).Run(Arguments(words));
        Assert.Equal((0, ""), (code, errors.ToString()));
    }

    private string Refused(params string[] words)
    {
        var errors = new StringWriter();
        Assert.Equal(1, new CertificatesCommand(_clock, TextWriter.Null, errors).Run(Arguments(words)));
        return errors.ToString();
    }

    private CertificateArguments Arguments(string[] words) => VerbRun.Arguments<CertificateArguments>(
        CertificatesVerb.Create, words.Contains("--folder") ? words : [.. words, "--folder", Pki]);

    private X509Certificate2 Read(string name) =>
        X509CertificateLoader.LoadCertificateFromFile(Path.Combine(Pki, name));

    // Everything that is wrong with the ingress, as an agent sees it that is configured with that authority.
    private X509ChainStatusFlags AsAgent(string authority, string host)
    {
        using var server = Read("server.pem");
        using var chain = new X509Chain { ChainPolicy = Trusting(authority) };
        chain.Build(server);
        Assert.True(server.MatchesHostname(host));
        return chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, status) => all | status.Status);
    }

    private bool IsFor(string name, string purpose)
    {
        using var chain = new X509Chain { ChainPolicy = Trusting(Pki) };
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(purpose));
        return chain.Build(Read(name));
    }

    private static X509ChainPolicy Trusting(string authority)
    {
        var options = new MqttUplinkOptions
        {
            Host = "cloud.example.org",
            Tls = true,
            AuthorityFile = Path.Combine(authority, "ca.pem"),
        };
        return MqttTls.Read(options).For(options.Host).CertificateChainPolicy!;
    }
}
