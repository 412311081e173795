//! `alarms`: like timers, they keep a run from ending while they are set and nothing else.

use super::api::Outcome;
use super::{Browser, Later};
use crate::messages::Caller;
use port_core::ExtensionInstance;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// The alarms of an extension, by name.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    by_name: BTreeMap<String, Alarm>,
}

#[derive(Clone, Debug)]
struct Alarm {
    /// In milliseconds since 1970.
    due: f64,
    /// In minutes.
    period: Option<f64>,
    /// Tells this setting of the alarm from those before it.
    number: u64,
}

impl Alarm {
    fn show(&self, name: &str) -> Value {
        let mut shown = json!({ "name": name, "scheduledTime": self.due });
        if let Some(period) = self.period {
            shown["periodInMinutes"] = period.into();
        }
        shown
    }
}

impl Browser {
    pub(super) fn alarms_call(&mut self, caller: &Caller, method: &str, arguments: &[Value]) -> Outcome {
        let name = arguments.first().and_then(Value::as_str).unwrap_or_default().to_owned();
        #[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
        let now = self.shared.clock.since_epoch() as f64;
        let Some(loaded) = self.loaded_mut(caller.instance) else { return Ok(None) };
        let alarms = &mut loaded.alarms.by_name;
        match method {
            "create" => {
                let minutes = |key: &str| arguments.get(1)?.get(key)?.as_f64();
                let period = minutes("periodInMinutes").map(|period| period.max(0.0));
                let when = arguments.get(1).and_then(|info| info.get("when")?.as_f64());
                let delay = minutes("delayInMinutes").or(period).unwrap_or(0.0) * 60_000.0;
                let due = when.unwrap_or(now + delay);
                self.set_alarm(caller.instance, &name, due, period);
                Ok(None)
            }
            "get" => Ok(alarms.get(&name).map(|alarm| alarm.show(&name))),
            "getAll" => Ok(Some(alarms.iter().map(|(name, alarm)| alarm.show(name)).collect())),
            "clear" => Ok(Some(alarms.remove(&name).is_some().into())),
            "clearAll" => {
                let had_some = !alarms.is_empty();
                alarms.clear();
                Ok(Some(had_some.into()))
            }
            _ => Err(format!("not supported by this browser: alarms.{method}")),
        }
    }

    fn set_alarm(&mut self, instance: ExtensionInstance, name: &str, due: f64, period: Option<f64>) {
        #[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
        let rest = (due - self.shared.clock.since_epoch() as f64).max(0.0);
        let number = self.number_of_task();
        let Some(loaded) = self.loaded_mut(instance) else { return };
        loaded.alarms.by_name.insert(name.to_owned(), Alarm { due, period, number });
        if let Ok(rest) = Duration::try_from_secs_f64(rest / 1_000.0) {
            let timer = self.shared.activity.begin_timer();
            self.after_timer(rest, Later::Alarm(instance, name.to_owned(), number), timer);
        }
    }

    /// An alarm is due, unless it was cleared or set anew.
    pub(super) fn alarm_is_due(&mut self, instance: ExtensionInstance, name: &str, number: u64) {
        let Some(loaded) = self.loaded_mut(instance) else { return };
        let Some(alarm) = loaded.alarms.by_name.get(name).filter(|alarm| alarm.number == number).cloned()
        else {
            return;
        };
        loaded.alarms.by_name.remove(name);
        if let Some(period) = alarm.period {
            // More often than this, nothing else would get its turn.
            self.set_alarm(instance, name, alarm.due + (period * 60_000.0).max(1.0), Some(period));
        }
        self.emit_to(instance, "alarms.onAlarm", json!([alarm.show(name)]).to_string());
    }
}
