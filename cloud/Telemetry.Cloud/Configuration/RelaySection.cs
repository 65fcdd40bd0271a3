using Telemetry.Alerting.Relay;
using Telemetry.Runtime.Settings;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads section <c>relay</c>.</summary>
internal static class RelaySection
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1), Second = TimeSpan.FromSeconds(1),
        Hour = TimeSpan.FromHours(1), Day = TimeSpan.FromDays(1);

    public static RelayOptions Read(SettingsReader reader)
    {
        var or = new RelayOptions();
        var options = or with
        {
            Name = reader.Text("relay.name", or.Name),
            Owner = reader.Text("relay.owner", ProcessIdentity.OfThisProcess),
            Source = reader.Text("relay.source", or.Source),
            Lease = reader.Span("relay.lease", or.Lease, Second, Hour),
            RenewEvery = reader.Span("relay.renewEvery", or.RenewEvery, 100 * Millisecond, Hour),
            LeaseRetry = reader.Span("relay.leaseRetry", or.LeaseRetry, 100 * Millisecond, Hour),
            PollEvery = reader.Span("relay.pollEvery", or.PollEvery, 10 * Millisecond, Hour),
            BatchRowsMax = reader.Number("relay.batchRowsMax", or.BatchRowsMax, 1, 10_000),
            BatchBytesMax = (int)reader.Bytes("relay.batchBytesMax", or.BatchBytesMax, 1024, 64 << 20),
            RetryAfter = reader.Span("relay.retryAfter", or.RetryAfter, 10 * Millisecond, Hour),
            RetryAfterMax = reader.Span("relay.retryAfterMax", or.RetryAfterMax, 10 * Millisecond, Hour),
            ReadBackMargin = reader.Span("relay.readBackMargin", or.ReadBackMargin, Second, 365 * Day),
            ReadBackIdsMax = reader.Number("relay.readBackIdsMax", or.ReadBackIdsMax, 1000, 100_000_000),
            SkipFor = reader.Span("relay.skipFor", or.SkipFor, Hour, 3650 * Day),
        };
        if (options.RenewEvery * 2 > options.Lease)
        {
            reader.NotAllowed(
                "relay.renewEvery", SettingUnits.Show(options.RenewEvery),
                $"at most half of relay.lease ({SettingUnits.Show(options.Lease)})");
        }

        if (!Uri.TryCreate(options.Source, UriKind.RelativeOrAbsolute, out _))
        {
            reader.NotAllowed("relay.source", options.Source, "a URI or a reference to one");
        }

        return options;
    }
}
