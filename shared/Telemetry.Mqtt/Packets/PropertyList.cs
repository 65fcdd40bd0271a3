namespace Telemetry.Mqtt.Packets;

/// <summary>The properties of one packet, in the order of the wire.</summary>
/// <remarks>
/// <code>length (variable byte integer) · { identifier (1 byte) · value }</code>
/// Source: MQTT 5.0, 2.2.2.
/// </remarks>
internal sealed class PropertyList
{
    /// <summary>
    /// At most so many properties a packet; more are refused with 0x97, so that tiny ones cannot fill memory.
    /// </summary>
    public const int PropertiesMax = 64;

    /// <summary>At most so many user properties are sent, so that they fit beside all others of any packet.</summary>
    public const int UserPropertiesMax = 48;

    public static readonly PropertyList Empty = new();

    private readonly List<Property> _items = [];

    private readonly record struct Property(PropertyId Id, uint Number, string? Text, string? Value, byte[]? Data);

    public bool IsEmpty => _items.Count == 0;

    public IReadOnlyList<MqttUserProperty> UserProperties
    {
        get
        {
            List<MqttUserProperty>? found = null;
            foreach (var item in _items)
            {
                if (item.Id == PropertyId.UserProperty)
                    (found ??= []).Add(new MqttUserProperty(item.Text!, item.Value!));
            }
            return found is null ? [] : found;
        }
    }

    public uint? Number(PropertyId id) => Find(id)?.Number;

    public string? Text(PropertyId id) => Find(id)?.Text;

    public byte[]? Data(PropertyId id) => Find(id)?.Data;

    public PropertyList Add(PropertyId id, uint number)
    {
        _items.Add(new Property(id, number, null, null, null));
        return this;
    }

    public PropertyList Add(PropertyId id, string? text)
    {
        if (text is not null) _items.Add(new Property(id, 0, text, null, null));
        return this;
    }

    public PropertyList Add(PropertyId id, byte[] data)
    {
        _items.Add(new Property(id, 0, null, null, data));
        return this;
    }

    public PropertyList Add(IReadOnlyList<MqttUserProperty>? pairs)
    {
        for (int i = 0; i < (pairs?.Count ?? 0); i++)
            _items.Add(new Property(PropertyId.UserProperty, 0, pairs![i].Name, pairs[i].Value, null));
        return this;
    }

    /// <summary>Reads length and properties.</summary>
    /// <exception cref="MqttProtocolException">0x81, 0x82, 0x94 or 0x97.</exception>
    public static PropertyList Read(ref BodyReader body, PropertyPlace place)
    {
        uint bytes = body.VariableInt();
        if (bytes == 0) return Empty;
        var reader = new BodyReader(body.Take((int)bytes));
        var list = new PropertyList();
        ulong seen = 0;
        while (!reader.AtEnd)
        {
            var id = (PropertyId)reader.Byte();
            var shape = PropertyRules.Shape(id);
            if (shape == PropertyShape.Unknown || !PropertyRules.IsAllowed(id, place))
                throw MqttProtocolException.Malformed($"property {(byte)id} is not allowed here");
            if ((seen & 1ul << (int)id) != 0 && !PropertyRules.MayRepeat(id, place))
                throw MqttProtocolException.Protocol($"property {id} stands twice");
            if (list._items.Count == PropertiesMax)
                throw new MqttProtocolException(MqttReasonCode.QuotaExceeded, $"more than {PropertiesMax} properties");
            seen |= 1ul << (int)id;
            list._items.Add(ReadOne(ref reader, id, shape));
        }
        return list;
    }

    /// <summary>Bytes on the wire, the length included.</summary>
    public int Bytes()
    {
        int bytes = ContentBytes();
        return PacketWriter.VariableIntBytes((uint)bytes) + bytes;
    }

    public void Write(ref PacketWriter writer)
    {
        writer.VariableInt((uint)ContentBytes());
        foreach (var item in _items)
        {
            writer.Byte((byte)item.Id);
            switch (PropertyRules.Shape(item.Id))
            {
                case PropertyShape.Byte: writer.Byte((byte)item.Number); break;
                case PropertyShape.UInt16: writer.UInt16((ushort)item.Number); break;
                case PropertyShape.UInt32: writer.UInt32(item.Number); break;
                case PropertyShape.VariableInt: writer.VariableInt(item.Number); break;
                case PropertyShape.Binary: writer.Binary(item.Data); break;
                case PropertyShape.Text: writer.Text(item.Text!); break;
                default:
                    writer.Text(item.Text!);
                    writer.Text(item.Value!);
                    break;
            }
        }
    }

    private static Property ReadOne(ref BodyReader reader, PropertyId id, PropertyShape shape)
    {
        switch (shape)
        {
            case PropertyShape.Text: return new Property(id, 0, reader.Text(), null, null);
            case PropertyShape.Binary: return new Property(id, 0, null, null, reader.Binary().ToArray());
            case PropertyShape.Pair: return new Property(id, 0, reader.Text(), reader.Text(), null);
            default:
                uint number = shape switch
                {
                    PropertyShape.Byte => reader.Byte(),
                    PropertyShape.UInt16 => reader.UInt16(),
                    PropertyShape.UInt32 => reader.UInt32(),
                    _ => reader.VariableInt(),
                };
                PropertyRules.CheckNumber(id, number);
                return new Property(id, number, null, null, null);
        }
    }

    private int ContentBytes()
    {
        int bytes = 0;
        foreach (var item in _items)
        {
            bytes += 1 + PropertyRules.Shape(item.Id) switch
            {
                PropertyShape.Byte => 1,
                PropertyShape.UInt16 => 2,
                PropertyShape.UInt32 => 4,
                PropertyShape.VariableInt => PacketWriter.VariableIntBytes(item.Number),
                PropertyShape.Binary => 2 + item.Data!.Length,
                PropertyShape.Text => PacketWriter.TextBytes(item.Text!),
                _ => PacketWriter.TextBytes(item.Text!) + PacketWriter.TextBytes(item.Value!),
            };
        }
        return bytes;
    }

    private Property? Find(PropertyId id)
    {
        foreach (var item in _items)
            if (item.Id == id) return item;
        return null;
    }
}
