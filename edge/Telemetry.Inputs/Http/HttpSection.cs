using System.Net;
using Telemetry.Runtime.Settings;

namespace Telemetry.Inputs.Http;

/// <summary>Reads section <c>http</c> of an agent's configuration.</summary>
internal static class HttpSection
{
    public static HttpInputOptions Read(SettingsReader reader)
    {
        var standard = new HttpInputOptions();
        var options = new HttpInputOptions
        {
            Address = Address(reader, standard.Address),
            Port = reader.Number("http.port", standard.Port, 1, 65535),
            Tokens = TokensSection.Read(reader),
            CertificateFile = reader.Text("http.certificateFile", ""),
            KeyFile = reader.Text("http.keyFile", ""),
            DeviceTag = reader.Text("http.deviceTag", standard.DeviceTag),
            CommitDeadline = Span("commitDeadline", standard.CommitDeadline, TimeSpan.Zero, TimeSpan.FromMinutes(1)),
            AnswerTimeout = Span(
                "answerTimeout", standard.AnswerTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)),
            BodyTimeout = Span("bodyTimeout", standard.BodyTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)),
            HeadTimeout = Span("headTimeout", standard.HeadTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)),
            IdleTimeout = Span("idleTimeout", standard.IdleTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            BodyBytesMax = (int)reader.Bytes("http.bodyBytesMax", standard.BodyBytesMax, 1024, 64 * 1024 * 1024),
            BodiesBytesMax = (int)reader.Bytes(
                "http.bodiesBytesMax", standard.BodiesBytesMax, 64 * 1024, 1024 * 1024 * 1024),
            LineBytesMax = (int)reader.Bytes("http.lineBytesMax", standard.LineBytesMax, 1024, 1024 * 1024),
            HeadBytesMax = (int)reader.Bytes("http.headBytesMax", standard.HeadBytesMax, 4 * 1024, 1024 * 1024),
            ConnectionsMax = reader.Number("http.connectionsMax", standard.ConnectionsMax, 1, 10_000),
            RepeatWindow = Span("repeatWindow", standard.RepeatWindow, TimeSpan.Zero, TimeSpan.FromDays(1)),
            SeriesCacheMax = reader.Number("http.seriesCacheMax", standard.SeriesCacheMax, 1024, 1024 * 1024),
        };
        Check(options, reader);
        return options;

        TimeSpan Span(string key, TimeSpan or, TimeSpan min, TimeSpan max) =>
            reader.Span($"http.{key}", or, min, max);
    }

    private static IPAddress Address(SettingsReader reader, IPAddress or)
    {
        if (reader.Text("http.address") is not { } text)
        {
            return or;
        }

        if (IPAddress.TryParse(text, out var address))
        {
            return address;
        }

        reader.NotAllowed("http.address", text, "an IP address (0.0.0.0 listens on all)");
        return or;
    }

    private static void Check(HttpInputOptions options, SettingsReader reader)
    {
        if (!reader.Flag("http.anonymous", false) && options.Tokens.IsEmpty && !IPAddress.IsLoopback(options.Address))
        {
            reader.Problem(
                "http.tokenFile",
                $"is missing; without it everybody who reaches {options.Address} can write, which only "
                + "http.anonymous: true allows");
        }

        if (options.CertificateFile.Length == 0 != (options.KeyFile.Length == 0))
        {
            reader.Problem("http.certificateFile", "is not allowed without http.keyFile, nor the key without it");
        }

        ReadOnlySpan<(string, string)> files =
            [("certificateFile", options.CertificateFile), ("keyFile", options.KeyFile)];
        foreach (var (key, file) in files)
        {
            if (file.Length > 0 && !File.Exists(file))
            {
                reader.Problem($"http.{key}", $"'{file}' does not exist");
            }
        }

        if (options.DeviceTag.Length > 256)
        {
            reader.NotAllowed("http.deviceTag", options.DeviceTag, "1 to 256 characters");
        }

        if (options.BodiesBytesMax < options.BodyBytesMax)
        {
            reader.NotAllowed(
                "http.bodiesBytesMax", SettingUnits.Show(options.BodiesBytesMax),
                $"http.bodyBytesMax ({SettingUnits.Show(options.BodyBytesMax)}) or more");
        }

        if (options.LineBytesMax > options.BodyBytesMax)
        {
            reader.NotAllowed(
                "http.lineBytesMax", SettingUnits.Show(options.LineBytesMax),
                $"at most http.bodyBytesMax ({SettingUnits.Show(options.BodyBytesMax)})");
        }
    }
}
