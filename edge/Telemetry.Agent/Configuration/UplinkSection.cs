using Telemetry.Edge.Uplink.Mqtt;

namespace Telemetry.Agent.Configuration;

/// <summary>Reads how the agent connects from section <c>uplink</c> of its configuration.</summary>
internal static class UplinkSection
{
    public static MqttUplinkOptions Read(ConfigurationReader reader)
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
            KeepAlive = reader.Span("uplink.keepAlive", TimeSpan.FromSeconds(30)),
            ConnectTimeout = reader.Span("uplink.connectTimeout", TimeSpan.FromSeconds(10)),
            UnsentBytesMax = (int)reader.Bytes("uplink.unsentBytesMax", 64 * 1024, 4096, 16 * 1024 * 1024),
        };
        if (!tls && (options.AuthorityFile + options.CertificateFile + options.KeyFile + options.ServerName).Length > 0)
        {
            reader.Problem("uplink.tls", "must be true where certificates are named");
        }

        if (options.CertificateFile.Length == 0 != (options.KeyFile.Length == 0))
        {
            reader.Problem("uplink.certificateFile", "certificateFile and keyFile go together");
        }

        if (options.KeepAlive < TimeSpan.FromSeconds(1) || options.KeepAlive > TimeSpan.FromMinutes(5))
        {
            reader.Problem("uplink.keepAlive", "is not within 1 s to 5 min");
        }

        if (options.ConnectTimeout < TimeSpan.FromSeconds(1) || options.ConnectTimeout > TimeSpan.FromMinutes(5))
        {
            reader.Problem("uplink.connectTimeout", "is not within 1 s to 5 min");
        }

        return options;
    }

    private static string ReadPassword(ConfigurationReader reader)
    {
        var file = reader.Text("uplink.passwordFile", "");
        var password = reader.Text("uplink.password", "");
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
