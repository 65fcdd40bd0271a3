using Telemetry.Alerting.Alertmanager;
using Telemetry.Runtime.Settings;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads section <c>alertmanager</c>.</summary>
internal static class AlertmanagerSection
{
    private const int ServersMax = 16;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1), Hour = TimeSpan.FromHours(1);

    /// <summary>Null where no Alertmanager is configured.</summary>
    public static AlertmanagerOptions? Read(SettingsReader reader)
    {
        var or = new AlertmanagerOptions();
        var servers = reader.List("alertmanager.servers", []);
        var options = or with
        {
            Servers = [.. servers.Select(s => Address(reader, "alertmanager.servers", s)).OfType<Uri>()],
            User = reader.Text("alertmanager.user", or.User),
            Password = reader.Secret("alertmanager.password") ?? or.Password,
            Token = reader.Secret("alertmanager.token") ?? or.Token,
            Dashboard = reader.Text("alertmanager.dashboard") is { } dashboard
                ? Address(reader, "alertmanager.dashboard", dashboard) : null,
            PollEvery = reader.Span("alertmanager.pollEvery", or.PollEvery, Second / 10, Hour),
            ResendEvery = reader.Span("alertmanager.resendEvery", or.ResendEvery, Second, Hour),
            EndsAfter = reader.Span("alertmanager.endsAfter", or.EndsAfter, Second, 24 * Hour),
            ResolvedFor = reader.Span("alertmanager.resolvedFor", or.ResolvedFor, Second, 24 * Hour),
            SummaryFor = reader.Span("alertmanager.summaryFor", or.SummaryFor, Second, 12 * Hour),
            BatchMax = reader.Number("alertmanager.batchMax", or.BatchMax, 1, 10_000),
            Timeout = reader.Span("alertmanager.timeout", or.Timeout, Second, Hour),
        };
        if (servers.Count > ServersMax)
        {
            reader.Problem("alertmanager.servers", $"has {servers.Count} servers; use at most {ServersMax}");
        }

        if (options.ResendEvery * 2 > options.EndsAfter)
        {
            reader.NotAllowed(
                "alertmanager.endsAfter", SettingUnits.Show(options.EndsAfter),
                $"at least twice alertmanager.resendEvery ({SettingUnits.Show(options.ResendEvery)}), or open alerts "
                + "end when one request fails");
        }

        if (options.User.Length > 0 && options.Token.Length > 0)
        {
            reader.Problem("alertmanager.token", "is set beside alertmanager.user; use one of them");
        }

        return options.Servers.Count == 0 ? null : options;
    }

    private static Uri? Address(SettingsReader reader, string key, string text)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out var address)
            && address is { Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" })
        {
            return address;
        }

        reader.NotAllowed(key, text, "an address such as http://127.0.0.1:9093, without a user in it");
        return null;
    }
}
