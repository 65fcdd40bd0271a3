using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Cloud.Configuration;
using Telemetry.Cloud.Hosting;
using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Mqtt;
using Telemetry.Ingress;
using Telemetry.Ingress.Access;
using Telemetry.Ingress.Presence;
using Telemetry.Ingress.Sessions;
using Telemetry.Integration.Cloud;
using Telemetry.Integration.Edge.MqttUplink;
using Telemetry.Integration.Streams;
using Telemetry.Model.Identity;
using Telemetry.TestKit.Servers;
using static Telemetry.TestKit.Messages.SampleMessages;

namespace Telemetry.Integration.Ingress;

/// <summary>Files that the command <c>certificates</c> made, at the ingress and at the agent's uplink.</summary>
public sealed class IngressCertificateTests : IAsyncDisposable
{
    private static readonly GatewayId Gateway = UplinkRig.Gateway;

    private readonly TemporaryFolder _folder = new();

    [NatsFact]
    public async Task Agent_reaches_an_ingress_whose_certificates_the_command_made()
    {
        await MakeAsync("ca");
        await MakeAsync("server", "127.0.0.1", "cloud.example.org");
        await MakeAsync("gateway", Gateway.Value);
        await MakeAsync("ca", "--folder", _folder.At("other"));
        await File.WriteAllTextAsync(_folder.At("gateways"), GatewayPasswords.Line(Gateway, "secret"u8) + "\n");
        await using var nats = await NatsStand.Start();
        await nats.Log.EnsureStreamsAsync(0, default);
        await using var ingress = await StartAsync(nats);
        var options = UplinkRig.Options(ingress.Port) with { Tls = true, AuthorityFile = At("ca.pem") };
        var byPassword = options with { Password = "secret" };
        var byCertificate = options with
        {
            CertificateFile = At("gateways/gw-1.pem"),
            KeyFile = At("gateways/gw-1.key"),
        };

        Assert.Equal("", await TryAsync(byPassword));
        Assert.Equal("", await TryAsync(byPassword with { ServerName = "cloud.example.org" }));
        Assert.Equal("", await TryAsync(byCertificate));
        Assert.Contains("RemoteCertificateNameMismatch", await TryAsync(byPassword with { ServerName = "x.example" }));
        Assert.Contains(
            "certificate chain", await TryAsync(byPassword with { AuthorityFile = _folder.At("other/ca.pem") }));
        // The server's own certificate is not a gateway's.
        Assert.NotEqual(
            "", await TryAsync(options with { CertificateFile = At("server.pem"), KeyFile = At("server.key") }));
    }

    public ValueTask DisposeAsync() => _folder.DisposeAsync();

    private string At(string name) => Path.Combine(_folder.At("pki"), name);

    private async Task MakeAsync(params string[] words)
    {
        string[] folder = words.Contains("--folder") ? [] : ["--folder", _folder.At("pki")];
        var made = await CloudCommand.RunAsync(["certificates", .. words, .. folder]);
        Assert.Equal((0, ""), (made.Code, made.Errors));
        Assert.Contains(", valid until 20", made.Output, StringComparison.Ordinal);
    }

    private async Task<MqttIngress> StartAsync(NatsStand nats)
    {
        var counters = new IngressCounters();
        var settings = new CloudSettings
        {
            MqttEndPoint = new(System.Net.IPAddress.Loopback, 0),
            Ingress = new IngressOptions { Partitions = 1 },
            Access = new(_folder.At("gateways"), false, At("server.pem"), At("server.key"), At("ca.pem"), false),
        };
        var core = new IngressCore(nats.Log, nats.ControlChannel, settings.Ingress, TimeProvider.System, counters);
        var ingress = IngressRole.Make(
            settings, core, counters, new PresenceBoard(new PresenceOptions(), TimeProvider.System),
            TimeProvider.System, NullLogger.Instance);
        await ingress.StartAsync(default);
        return ingress;
    }

    /// <summary>Why a frame did not go up; empty: it did.</summary>
    private static async Task<string> TryAsync(MqttUplinkOptions options)
    {
        using var connector = new MqttUplinkConnector(options, Gateway, TimeProvider.System);
        try
        {
            await using var connection = await connector.ConnectAsync(default).WaitAsync(UplinkRig.Patience);
            var outcome = await connection.PublishAsync($"tm/1/{Gateway}/live", Frame(), default);
            return outcome.Accepted ? "" : "refused";
        }
        catch (UplinkException e)
        {
            return e.Message;
        }
    }
}
