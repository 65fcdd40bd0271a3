using System.Net;
using Telemetry.Inputs.Http;

namespace Telemetry.Agent.Configuration;

/// <summary>Reads section <c>http</c> of an agent's configuration.</summary>
internal static class HttpSection
{
    public static HttpInputOptions Read(ConfigurationReader reader)
    {
        var standard = new HttpInputOptions();
        var address = reader.Text("http.address", standard.Address.ToString());
        if (!IPAddress.TryParse(address, out var listenOn))
        {
            reader.Problem("http.address", $"'{address}' is no address");
        }

        var options = new HttpInputOptions
        {
            Address = listenOn ?? standard.Address,
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

        TimeSpan Span(string key, TimeSpan or, TimeSpan min, TimeSpan max)
        {
            var span = reader.Span($"http.{key}", or);
            if (span < min || span > max)
            {
                reader.Problem($"http.{key}", $"{span} is not within {min} to {max}");
            }

            return span;
        }
    }

    private static void Check(HttpInputOptions options, ConfigurationReader reader)
    {
        if (!reader.Flag("http.anonymous", false) && options.Tokens.IsEmpty && !IPAddress.IsLoopback(options.Address))
        {
            reader.Problem(
                "http.tokenFile",
                $"is missing: everybody who reaches {options.Address} could write (http.anonymous: true allows it)");
        }

        if (options.CertificateFile.Length == 0 != (options.KeyFile.Length == 0))
        {
            reader.Problem("http.certificateFile", "certificateFile and keyFile go together");
        }

        ReadOnlySpan<(string, string)> files = [("certificateFile", options.CertificateFile), ("keyFile", options.KeyFile)];
        foreach (var (key, file) in files)
        {
            if (file.Length > 0 && !File.Exists(file))
            {
                reader.Problem($"http.{key}", $"'{file}' does not exist");
            }
        }

        if (options.DeviceTag.Length is 0 or > 256)
        {
            reader.Problem("http.deviceTag", "is not of 1 to 256 characters");
        }

        if (options.BodiesBytesMax < options.BodyBytesMax)
        {
            reader.Problem("http.bodiesBytesMax", "is less than bodyBytesMax");
        }

        if (options.LineBytesMax > options.BodyBytesMax)
        {
            reader.Problem("http.lineBytesMax", "is more than bodyBytesMax");
        }
    }
}
