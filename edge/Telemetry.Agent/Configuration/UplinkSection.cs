using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Mqtt;
using Telemetry.Runtime.Settings;

namespace Telemetry.Agent.Configuration;

/// <summary>Reads section <c>uplink</c> of an agent's configuration: how it connects, and how it sends.</summary>
internal static class UplinkSection
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1), Hour = TimeSpan.FromHours(1);

    public static MqttUplinkOptions Read(SettingsReader reader)
    {
        var tls = reader.Flag("uplink.tls", false);
        var options = new MqttUplinkOptions
        {
            Host = reader.Required("uplink.host"),
            Port = reader.Number("uplink.port", tls ? 8883 : 1883, 1, 65535),
            User = reader.Text("uplink.user", ""),
            Password = ReadPassword(reader),
            Tls = tls,
            AuthorityFile = reader.Text("uplink.authorityFile", ""),
            CertificateFile = reader.Text("uplink.certificateFile", ""),
            KeyFile = reader.Text("uplink.keyFile", ""),
            ServerName = reader.Text("uplink.serverName", ""),
            KeepAlive = reader.Span("uplink.keepAlive", 30 * Second, Second, 300 * Second),
            ConnectTimeout = reader.Span("uplink.connectTimeout", 10 * Second, Second, 300 * Second),
            UnsentBytesMax = (int)reader.Bytes("uplink.unsentBytesMax", 64 * 1024, 4096, 16 * 1024 * 1024),
        };
        if (!tls && (options.AuthorityFile + options.CertificateFile + options.KeyFile + options.ServerName).Length > 0)
        {
            reader.Problem("uplink.tls", "is false, and certificates are named; set it to true");
        }

        if (options.CertificateFile.Length == 0 != (options.KeyFile.Length == 0))
        {
            reader.Problem("uplink.certificateFile", "is not allowed without uplink.keyFile, nor the key without it");
        }

        return options;
    }

    public static UplinkOptions ReadSending(SettingsReader reader)
    {
        var or = new UplinkOptions();
        var options = or with
        {
            InFlightMax = reader.Number("uplink.inFlightMax", or.InFlightMax, 2, 1024),
            Heartbeat = Span("uplink.heartbeat", or.Heartbeat),
            UnsettledAfter = Span("uplink.unsettledAfter", or.UnsettledAfter),
            AnswerTimeout = Span("uplink.answerTimeout", or.AnswerTimeout),
            BackoffMin = Span("uplink.backoffMin", or.BackoffMin),
            BackoffMax = Span("uplink.backoffMax", or.BackoffMax),
        };
        if (options.BackoffMin > options.BackoffMax)
        {
            reader.NotAllowed(
                "uplink.backoffMin", SettingUnits.Show(options.BackoffMin),
                $"at most uplink.backoffMax ({SettingUnits.Show(options.BackoffMax)})");
        }

        return options;

        TimeSpan Span(string key, TimeSpan or) => reader.Span(key, or, TimeSpan.FromMilliseconds(100), Hour);
    }

    private static string ReadPassword(SettingsReader reader)
    {
        var file = reader.Text("uplink.passwordFile", "");
        var password = reader.Secret("uplink.password") ?? "";
        if (file.Length == 0)
        {
            return password;
        }

        try
        {
            return File.ReadAllText(file).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reader.Problem("uplink.passwordFile", e.Message);
            return "";
        }
    }
}
