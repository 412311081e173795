//! `alarms`: each is a timer of the GTK thread.

use crate::api::{Caller, Outcome};
use crate::browser::Browser;
use glib::SourceId;
use port_core::ExtensionInstance;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

/// How many alarms an extension may have, as in Chromium, and how long their names may be.
const MOST: (usize, usize) = (500, 1_024);

/// The alarms of an extension, by name.
#[derive(Debug, Default)]
pub(crate) struct Alarms(BTreeMap<String, Alarm>);

#[derive(Debug)]
struct Alarm {
    /// In milliseconds since 1970.
    due: f64,
    /// In minutes.
    period: Option<f64>,
    /// What waits for it; none once it is due.
    timer: Option<SourceId>,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.timer.take().into_iter().for_each(SourceId::remove);
    }
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

fn now() -> f64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64() * 1_000.0
}

impl Browser {
    /// A call about alarms.
    pub(crate) fn alarms_call(
        self: &Rc<Self>,
        caller: &Caller,
        member: &str,
        arguments: &[Value],
    ) -> Outcome {
        let instance = caller.known.instance;
        let name = arguments.first().and_then(Value::as_str).unwrap_or_default().to_owned();
        if member == "create" {
            let given = |key: &str| arguments.get(1)?.get(key)?.as_f64();
            let period = given("periodInMinutes").map(|period| period.max(0.0));
            let delay = given("delayInMinutes").or(period).unwrap_or(0.0) * 60_000.0;
            let due = given("when").unwrap_or_else(|| now() + delay);
            return self.set_alarm(instance, &name, due, period).map(|()| None);
        }
        let call = |loaded: &mut crate::extensions::LoadedExtension| {
            let alarms = &mut loaded.alarms.0;
            Ok(match member {
                "get" => alarms.get(&name).map(|alarm| alarm.show(&name)),
                "getAll" => Some(alarms.iter().map(|(name, alarm)| alarm.show(name)).collect()),
                "clear" => Some(alarms.remove(&name).is_some().into()),
                "clearAll" => {
                    let had_some = !alarms.is_empty();
                    alarms.clear();
                    Some(had_some.into())
                }
                _ => return Err(format!("not supported by this browser: alarms.{member}")),
            })
        };
        self.with_extension(instance, call).unwrap_or(Ok(None))
    }

    fn set_alarm(
        self: &Rc<Self>,
        instance: ExtensionInstance,
        name: &str,
        due: f64,
        period: Option<f64>,
    ) -> Result<(), String> {
        let rest = Duration::try_from_secs_f64((due - now()).max(0.0) / 1_000.0);
        let rest = rest.map_err(|error| format!("no alarm is that late: {error}"))?;
        let (me, of) = (Rc::downgrade(self), name.to_owned());
        let kept = self.with_extension(instance, |loaded| {
            let alarms = &mut loaded.alarms.0;
            let has_room = alarms.contains_key(name) || alarms.len() < MOST.0;
            if !has_room || name.len() > MOST.1 {
                return Err(format!(
                    "an extension may have {} alarms, with names of {} bytes",
                    MOST.0, MOST.1
                ));
            }
            let timer = glib::timeout_add_local_once(rest, move || {
                if let Some(browser) = me.upgrade() {
                    browser.alarm_is_due(instance, &of);
                }
            });
            alarms.insert(name.to_owned(), Alarm { due, period, timer: Some(timer) });
            Ok(())
        });
        kept.unwrap_or(Ok(()))
    }

    fn alarm_is_due(self: &Rc<Self>, instance: ExtensionInstance, name: &str) {
        let alarm = self.with_extension(instance, |loaded| {
            let mut alarm = loaded.alarms.0.remove(name)?;
            // It has ended by itself.
            alarm.timer = None;
            Some((alarm.due, alarm.period, alarm.show(name)))
        });
        let Some((due, period, shown)) = alarm.flatten() else { return };
        if let Some(period) = period {
            // More often than this, nothing else would get its turn.
            let next = (due + period * 60_000.0).max(now() + 1.0);
            let _ = self.set_alarm(instance, name, next, Some(period));
        }
        self.emit_to(instance, "alarms.onAlarm", &json!([shown]), false);
    }
}
