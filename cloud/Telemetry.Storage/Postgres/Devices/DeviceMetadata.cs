namespace Telemetry.Storage.Postgres.Devices;

/// <summary>What people say of a device. All of it replaces what was known.</summary>
/// <param name="Gateway">The gateway that sends its readings.</param>
/// <param name="Device">Its name at that gateway.</param>
public sealed record DeviceMetadata(string Gateway, string Device)
{
    /// <summary>The site; null for none.</summary>
    public string? Site { get; init; }

    /// <summary>Where on the site it is; null for none.</summary>
    public string? Location { get; init; }

    /// <summary>The time zone of its days, as the database calls it; null for UTC.</summary>
    public string? TimeZone { get; init; }

    /// <summary>Labels of the device, by key.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>The limits of its values, by metric.</summary>
    public IReadOnlyDictionary<string, MetricLimits> Limits { get; init; } = new Dictionary<string, MetricLimits>();
}

/// <summary>Between which values a metric is as it should be; null where there is no limit.</summary>
public readonly record struct MetricLimits(double? Low, double? High);
