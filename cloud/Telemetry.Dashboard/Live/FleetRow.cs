using System.Text.Json;

namespace Telemetry.Dashboard.Live;

/// <summary>Counts over the whole fleet.</summary>
/// <param name="Gateways">The number of gateways.</param>
/// <param name="States">The number of gateways in each state, by <see cref="GatewayState"/>.</param>
/// <param name="AtRisk">Readings that gateways accepted and that are not settled.</param>
/// <param name="Firing">Alerts that are firing.</param>
public sealed record FleetSummary(int Gateways, IReadOnlyList<int> States, long AtRisk, int Firing)
{
    public static readonly FleetSummary Empty = new(0, new int[GatewayStates.Names.Length], 0, 0);

    /// <summary>Writes its properties into an object.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteNumber("gateways", Gateways);
        json.WriteStartObject("states");
        for (var i = 0; i < States.Count; i++)
        {
            json.WriteNumber(GatewayStates.Names[i], States[i]);
        }

        json.WriteEndObject();
        json.WriteNumber("atRisk", AtRisk);
        json.WriteNumber("firing", Firing);
    }
}

/// <summary>A part of the fleet in an order.</summary>
/// <param name="Version">The version of the model.</param>
/// <param name="Matched">The number of gateways that match.</param>
/// <param name="Rows">Those that were asked for.</param>
/// <param name="Summary">Counts over the whole fleet.</param>
public sealed record FleetPage(long Version, int Matched, IReadOnlyList<FleetRow> Rows, FleetSummary Summary);

/// <summary>One gateway, as it is now.</summary>
public sealed record FleetRow
{
    public required string Name { get; init; }

    public required GatewayState State { get; init; }

    public int Partition { get; init; }

    public long SinceMicros { get; init; }

    public bool? Connected { get; init; }

    public string Ingress { get; init; } = "";

    public string Version { get; init; } = "";

    public long OffsetMicros { get; init; }

    public bool Synchronised { get; init; }

    public long Accepted { get; init; }

    public long Stored { get; init; }

    public long Rejected { get; init; }

    public long Dropped { get; init; }

    public long Lost { get; init; }

    public long AtRisk { get; init; }

    public long WatermarkMicros { get; init; }

    public long ChangedMicros { get; init; }

    public string Fork { get; init; } = "";

    public int Firing { get; init; }

    public double? DrainSeconds { get; init; }

    public IReadOnlyList<string> Sites { get; init; } = [];

    public IReadOnlyList<string> Labels { get; init; } = [];

    internal static FleetRow Of(FleetColumns fleet, int i) => new()
    {
        Name = fleet.Names[i],
        State = fleet.States[i],
        Partition = fleet.Partitions[i],
        SinceMicros = fleet.StateSince(i),
        Connected = fleet.Connected[i],
        Ingress = fleet.Ingresses[i],
        Version = fleet.Versions[i],
        OffsetMicros = fleet.Offsets[i],
        Synchronised = fleet.Synchronised[i],
        // What is settled was accepted, also where the gateway has not yet told its new total.
        Accepted = Math.Max(fleet.Accepted[i], fleet.Settled(i)),
        Stored = fleet.Stored[i],
        Rejected = fleet.Rejected[i],
        Dropped = fleet.Dropped[i],
        Lost = fleet.Lost[i],
        AtRisk = fleet.AtRisk(i),
        WatermarkMicros = fleet.Watermarks[i],
        ChangedMicros = fleet.Changed[i],
        Fork = fleet.Forks[i],
        Firing = fleet.Firing[i],
        DrainSeconds = fleet.DrainSeconds(i),
        Sites = fleet.Sites[i],
        Labels = fleet.Labels[i],
    };

    /// <summary>Writes it as an object. Times are absolute: who shows them lets them age.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("name", Name);
        json.WriteString("state", GatewayStates.Names[(int)State]);
        WriteTime(json, "since", SinceMicros);
        if (Connected is { } connected)
        {
            json.WriteBoolean("connected", connected);
        }
        else
        {
            json.WriteNull("connected");
        }

        json.WriteString("ingress", Ingress);
        json.WriteString("version", Version);
        if (OffsetMicros == FleetColumns.None)
        {
            json.WriteNull("clockOffsetSeconds");
        }
        else
        {
            json.WriteNumber("clockOffsetSeconds", OffsetMicros / 1e6);
        }

        json.WriteBoolean("clockSynchronised", Synchronised);
        json.WriteNumber("partition", Partition);
        json.WriteNumber("accepted", Accepted);
        json.WriteNumber("stored", Stored);
        json.WriteNumber("rejected", Rejected);
        json.WriteNumber("dropped", Dropped);
        json.WriteNumber("lost", Lost);
        json.WriteNumber("atRisk", AtRisk);
        WriteTime(json, "watermark", WatermarkMicros);
        WriteTime(json, "changedAt", ChangedMicros);
        json.WriteString("fork", Fork);
        json.WriteNumber("firing", Firing);
        if (DrainSeconds is { } seconds)
        {
            json.WriteNumber("drainSeconds", Math.Round(seconds, 1));
        }
        else
        {
            json.WriteNull("drainSeconds");
        }

        WriteTexts(json, "sites", Sites);
        WriteTexts(json, "labels", Labels);
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    // The model's times fit, whatever a gateway says.
    private static void WriteTime(Utf8JsonWriter json, string name, long micros)
    {
        if (micros == FleetColumns.None)
        {
            json.WriteNull(name);
        }
        else
        {
            json.WriteString(name, DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond));
        }
    }
}
