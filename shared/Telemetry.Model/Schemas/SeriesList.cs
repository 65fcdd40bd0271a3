using Telemetry.Model.Readings;

namespace Telemetry.Model.Schemas;

/// <summary>
/// A gateway's list of series under one schema id, with what decoding and storing need precomputed. Immutable; a longer
/// list shares nothing that could change.
/// </summary>
public sealed class SeriesList
{
    private readonly SeriesDefinition[] _definitions;
    private readonly MetricType[] _types;
    private readonly ulong[] _keys;
    private readonly ulong[] _deviceKeys;

    private SeriesList(GatewayId gateway, SchemaId id, SeriesDefinition[] definitions, ulong[] keys, ulong[] deviceKeys)
    {
        Gateway = gateway;
        Id = id;
        _definitions = definitions;
        _keys = keys;
        _deviceKeys = deviceKeys;
        _types = Array.ConvertAll(definitions, d => d.Type);
    }

    /// <summary>Whose list it is.</summary>
    public GatewayId Gateway { get; }

    /// <summary>The list's id.</summary>
    public SchemaId Id { get; }

    /// <summary>How many series it has.</summary>
    public int Count => _definitions.Length;

    /// <summary>The definitions, by index.</summary>
    public ReadOnlySpan<SeriesDefinition> Definitions => _definitions;

    /// <summary>The types, by index.</summary>
    public ReadOnlySpan<MetricType> Types => _types;

    /// <summary>The series' keys (<see cref="SeriesDefinition.Key"/>), by index.</summary>
    public ReadOnlySpan<ulong> Keys => _keys;

    /// <summary>The devices' keys (<see cref="SeriesDefinition.DeviceKey"/>), by index.</summary>
    public ReadOnlySpan<ulong> DeviceKeys => _deviceKeys;

    /// <summary>The empty list that every gateway starts from.</summary>
    public static SeriesList Empty(GatewayId gateway) => new(gateway, default, [], [], []);

    /// <summary>
    /// The list that a schema message makes of this one; the message's parent must be this list's id.
    /// </summary>
    public SeriesList Extend(SchemaMessage message)
    {
        if (message.Parent != Id)
        {
            throw new ArgumentException($"schema {message.Id} extends {message.Parent}, not {Id}");
        }

        var added = message.Series();
        return new SeriesList(
            Gateway,
            message.Id,
            [.. _definitions, .. added],
            [.. _keys, .. added.Select(s => s.Key(Gateway))],
            [.. _deviceKeys, .. added.Select(s => s.DeviceKey(Gateway))]);
    }
}
