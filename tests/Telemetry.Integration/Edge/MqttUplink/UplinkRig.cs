using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Mqtt;
using Telemetry.Model.Identity;

namespace Telemetry.Integration.Edge.MqttUplink;

/// <summary>Connections of the uplink to a server on this machine.</summary>
internal static class UplinkRig
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    public static readonly GatewayId Gateway = GatewayId.Parse("gw-1");

    public static MqttUplinkOptions Options(int port) => new() { Host = "127.0.0.1", Port = port };

    public static Task<IUplinkConnection> ConnectAsync(int port) => ConnectAsync(Options(port));

    public static async Task<IUplinkConnection> ConnectAsync(
        MqttUplinkOptions options, MqttTls? tls = null, TimeProvider? time = null)
    {
        using var connector = new MqttUplinkConnector(options, tls, Gateway, time ?? TimeProvider.System);
        return await connector.ConnectAsync(CancellationToken.None).WaitAsync(Patience);
    }

    /// <summary>The failure to connect.</summary>
    public static async Task<UplinkException> RefusedAsync(
        MqttUplinkOptions options, MqttTls? tls = null, TimeProvider? time = null) =>
        await Assert.ThrowsAsync<UplinkException>(() => ConnectAsync(options, tls, time));

    /// <summary>So many publishes at once, each of so many bytes and with its number in front.</summary>
    public static Task<PublishOutcome>[] PublishMany(IUplinkConnection connection, int count, int payloadBytes) =>
        [.. Enumerable.Range(0, count).Select(i =>
        {
            var payload = new byte[payloadBytes];
            BitConverter.TryWriteBytes(payload, i);
            return connection.PublishAsync("tm/1/gw-1/live", payload, CancellationToken.None).AsTask();
        })];

    public static async Task UntilAsync(Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!holds())
        {
            await Task.Delay(10, patience.Token);
        }
    }
}
