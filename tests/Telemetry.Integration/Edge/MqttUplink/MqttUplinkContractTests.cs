using System.Text;
using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Mqtt;
using Telemetry.Model.Protocol;
using Telemetry.MqttSessions;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Network;

namespace Telemetry.Integration.Edge.MqttUplink;

/// <summary>The contract of all connectors, by MQTT against the listener of the ingress.</summary>
public sealed class MqttUplinkContractTests : UplinkConnectorContract
{
    protected override async Task RunAsync(Func<UplinkStand, Task> test)
    {
        await using var stand = await Stand.StartAsync();
        await test(stand);
    }

    private sealed class Stand : UplinkStand, IMqttApplication, IAsyncDisposable
    {
        private readonly Lock _lock = new();
        private readonly List<IMqttServerSession> _sessions = [];
        private readonly MqttListener _listener;
        private FaultProxy? _line;
        private MqttUplinkConnector? _connector;

        private Stand() =>
            _listener = new MqttListener(new MqttListenerOptions { Port = 0 }, this, TimeProvider.System);

        public override IUplinkConnector Connector => _connector!;

        public override TimeProvider Time => TimeProvider.System;

        public override int OpenSessions
        {
            get
            {
                lock (_lock)
                {
                    return _sessions.Count;
                }
            }
        }

        public static async Task<Stand> StartAsync()
        {
            var stand = new Stand();
            await stand._listener.StartAsync(default);
            stand._line = new FaultProxy(stand._listener.Port);
            stand._connector = new MqttUplinkConnector(
                UplinkRig.Options(stand._line.Port), Gateway, TimeProvider.System);
            return stand;
        }

        public override bool SendDown(string text)
        {
            lock (_lock)
            {
                return _sessions[^1].TrySend(MqttTopics.Down(Gateway), Encoding.UTF8.GetBytes(text))
                    == MqttSendOutcome.Queued;
            }
        }

        public override void Cut() => _line!.Cut(CutKind.Reset);

        public override void Mend() => _line!.Heal();

        public ValueTask<AuthenticateResult> AuthenticateAsync(ConnectRequest request, CancellationToken ct) =>
            new(AuthenticateResult.Accepted);

        public async ValueTask ConnectedAsync(IMqttServerSession session, CancellationToken ct)
        {
            lock (_lock)
            {
                _sessions.Add(session);
            }

            try
            {
                await Opening();
            }
            catch
            {
                Remove(session);
                throw;
            }
        }

        public void Disconnected(IMqttServerSession session, MqttCloseReason reason) => Remove(session);

        public MqttReasonCode AuthorizePublish(IMqttServerSession session, string topic, MqttQos qos) =>
            MqttReasonCode.Success;

        public MqttReasonCode AuthorizeSubscribe(IMqttServerSession session, string filter, MqttQos qos) =>
            MqttReasonCode.Success;

        public async ValueTask<PublishVerdict> PublishedAsync(
            IMqttServerSession session, MqttMessage message, CancellationToken ct)
        {
            // An answer that never comes ends with the session.
            var outcome = await TakeAsync(message.Topic, message.Payload).WaitAsync(ct);
            return new PublishVerdict(
                (MqttReasonCode)outcome.ReasonCode,
                outcome.Receipt is { } receipt ? [new MqttUserProperty(Receipt.PropertyName, receipt)] : null,
                outcome.Reason);
        }

        public async ValueTask DisposeAsync()
        {
            _connector!.Dispose();
            await _line!.DisposeAsync();
            await _listener.DisposeAsync();
        }

        private void Remove(IMqttServerSession session)
        {
            lock (_lock)
            {
                _sessions.Remove(session);
            }
        }
    }
}
